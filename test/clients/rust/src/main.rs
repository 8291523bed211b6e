//! The Rust MCP client against one server: connects, lists the tools, calls one, closes. Prints what it saw as JSON.
//! Arguments: the client's name, the server's URL, a bearer token. Ends with 1 and the client's own words on an error.

use anyhow::{Context, Result};
use rmcp::{
    ServiceExt,
    model::CallToolRequestParams,
    transport::{
        StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::{Map, Value, json};

const TOOL: &str = "search_text";

/// As frameworks hand on what a model leaves out.
fn arguments() -> Map<String, Value> {
    let Value::Object(arguments) =
        json!({"query": "needle", "repo": null, "globs": null, "max_results": null})
    else {
        unreachable!("the text above is an object")
    };
    arguments
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut given = std::env::args().skip(2);
    let url = given.next().context("no URL")?;
    let token = given.next().context("no token")?;
    let config = StreamableHttpClientTransportConfig::with_uri(url).auth_header(token);
    let transport = StreamableHttpClientTransport::from_config(config);
    let client = ().serve(transport).await?;
    let tools = client.list_all_tools().await?;
    let call = CallToolRequestParams::new(TOOL).with_arguments(arguments());
    let result = client.call_tool(call).await?;
    let text = result
        .content
        .first()
        .and_then(|content| content.as_text())
        .context("no text")?;
    let names: Vec<_> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    println!("{}", json!({"tools": names, "text": text.text}));
    client.cancel().await?;
    Ok(())
}
