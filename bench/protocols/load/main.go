// Sends the same POST on a number of connections for some seconds, over HTTP/1.1, HTTP/2 or HTTP/3, one request at a time on each, and prints the
// requests that were answered well, those that were not, and the CPU time that it took itself.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

type order struct {
	URL string `json:"url"`
	// Dialled instead of the URL's host.
	Address     string            `json:"address"`
	Protocol    string            `json:"protocol"`
	Headers     map[string]string `json:"headers"`
	Body        string            `json:"body"`
	Expect      string            `json:"expect"`
	Connections int               `json:"connections"`
	Seconds     float64           `json:"seconds"`
}

func main() {
	var o order
	if err := json.NewDecoder(os.Stdin).Decode(&o); err != nil {
		panic(err)
	}
	var good, failed atomic.Int64
	var reason atomic.Value
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(o.Seconds*float64(time.Second)))
	defer cancel()
	var workers sync.WaitGroup
	started := time.Now()
	for range o.Connections {
		workers.Add(1)
		go func() {
			defer workers.Done()
			transport := o.transport()
			for ctx.Err() == nil {
				if why := o.once(ctx, transport); why == "" {
					good.Add(1)
				} else if ctx.Err() == nil {
					failed.Add(1)
					reason.Store(why)
				}
			}
		}()
	}
	workers.Wait()
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	cpu := time.Duration(used.Utime.Nano() + used.Stime.Nano())
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{
		"answered": good.Load(), "failed": failed.Load(), "reason": reason.Load(),
		"seconds": time.Since(started).Seconds(), "cpuSeconds": cpu.Seconds(),
	})
}

func (o order) transport() http.RoundTripper {
	// NGINX has the certificate that a machine signs itself before it has another.
	config := &tls.Config{InsecureSkipVerify: true}
	if o.Protocol == "h3" {
		return &http3.Transport{
			TLSClientConfig: config,
			Dial: func(ctx context.Context, _ string, c *tls.Config, q *quic.Config) (*quic.Conn, error) {
				return quic.DialAddrEarly(ctx, o.Address, c, q)
			},
		}
	}
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, o.Address)
	}
	return &http.Transport{
		DialContext: dial, TLSClientConfig: config, ForceAttemptHTTP2: o.Protocol == "h2", MaxConnsPerHost: 1,
	}
}

// The reason of a failure, or "".
func (o order) once(ctx context.Context, transport http.RoundTripper) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, o.URL, bytes.NewReader([]byte(o.Body)))
	if err != nil {
		return err.Error()
	}
	for name, value := range o.Headers {
		request.Header.Set(name, value)
		if name == "host" {
			request.Host = value
		}
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	if response.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(o.Expect)) {
		return response.Status + " " + string(body[:min(len(body), 300)])
	}
	return ""
}
