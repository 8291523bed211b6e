// Go MCP clients against one server: connects, lists the tools, calls one, closes. Prints what it saw as JSON.
// Arguments: the client's name, the server's URL, a bearer token. Ends with 1 and the client's own words on an error.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	gosdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

const tool = "search_text"

// As frameworks hand on what a model leaves out.
var arguments = map[string]any{"query": "needle", "repo": nil, "globs": nil, "max_results": nil}

func report(tools []string, text string) error {
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"tools": tools, "text": text})
}

func withMcpGo(ctx context.Context, url, token string) error {
	headers := map[string]string{"Authorization": "Bearer " + token}
	client, err := mcpgo.NewStreamableHttpClient(url, transport.WithHTTPHeaders(headers))
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Start(ctx); err != nil {
		return err
	}
	var initialize mcp.InitializeRequest
	initialize.Params.ProtocolVersion = mcp.LATEST_PROTOCOL_VERSION
	initialize.Params.ClientInfo = mcp.Implementation{Name: "test", Version: "1.0.0"}
	if _, err := client.Initialize(ctx, initialize); err != nil {
		return err
	}
	listed, err := client.ListTools(ctx, mcp.ListToolsRequest{})
	if err != nil {
		return err
	}
	var names []string
	for _, one := range listed.Tools {
		names = append(names, one.Name)
	}
	var call mcp.CallToolRequest
	call.Params.Name, call.Params.Arguments = tool, arguments
	result, err := client.CallTool(ctx, call)
	if err != nil {
		return err
	}
	text, _ := mcp.AsTextContent(result.Content[0])
	return report(names, text.Text)
}

type withHeader struct{ token string }

func (h withHeader) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("Authorization", "Bearer "+h.token)
	return http.DefaultTransport.RoundTrip(request)
}

func withGoSdk(ctx context.Context, url, token string) error {
	client := gosdk.NewClient(&gosdk.Implementation{Name: "test", Version: "1.0.0"}, nil)
	endpoint := &gosdk.StreamableClientTransport{Endpoint: url, HTTPClient: &http.Client{Transport: withHeader{token}}}
	session, err := client.Connect(ctx, endpoint, nil)
	if err != nil {
		return err
	}
	defer session.Close()
	listed, err := session.ListTools(ctx, nil)
	if err != nil {
		return err
	}
	var names []string
	for _, one := range listed.Tools {
		names = append(names, one.Name)
	}
	result, err := session.CallTool(ctx, &gosdk.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		return err
	}
	return report(names, result.Content[0].(*gosdk.TextContent).Text)
}

func main() {
	name, url, token := os.Args[1], os.Args[2], os.Args[3]
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	run := map[string]func(context.Context, string, string) error{"mcp-go": withMcpGo, "go-sdk": withGoSdk}[name]
	if err := run(ctx, url, token); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
