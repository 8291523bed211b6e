// The peers in Go: the same two tools by mcp-go and by the official SDK. Arguments: which of them, and the port.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"strings"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type text struct {
	Text string `json:"text"`
}

var large = strings.Repeat("x", 20_000)

func mcpGo() http.Handler {
	s := server.NewMCPServer("peer", "1")
	answer := func(given string) (*mcpgo.CallToolResult, error) {
		return mcpgo.NewToolResultStructured(text{given}, `{"text":"`+given+`"}`), nil
	}
	s.AddTool(
		mcpgo.NewTool("echo", mcpgo.WithString("text", mcpgo.Required())),
		func(_ context.Context, request mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
			return answer(request.GetString("text", ""))
		},
	)
	s.AddTool(mcpgo.NewTool("large"), func(context.Context, mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
		return answer(large)
	})
	return server.NewStreamableHTTPServer(s)
}

func goSdk() http.Handler {
	s := mcp.NewServer(&mcp.Implementation{Name: "peer", Version: "1"}, nil)
	mcp.AddTool(s, &mcp.Tool{Name: "echo"}, func(_ context.Context, _ *mcp.CallToolRequest, in text) (*mcp.CallToolResult, text, error) {
		return nil, in, nil
	})
	mcp.AddTool(s, &mcp.Tool{Name: "large"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, text, error) {
		return nil, text{large}, nil
	})
	return mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s }, nil)
}

func main() {
	handlers := map[string]func() http.Handler{"mcp-go": mcpGo, "go-sdk": goSdk}
	http.Handle("/mcp", handlers[os.Args[1]]())
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[2], nil))
}
