// A client of quic-go: `get COUNT` makes so many requests, each on a connection of its own; `reset COUNT` opens so many requests on few
// connections and resets each one at once. Prints one JSON object.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

type report struct {
	Statuses map[string]int `json:"statuses"`
	Errors   map[string]int `json:"errors"`
}

func main() {
	if len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, "usage: client get|reset COUNT URL ADDRESS:PORT CA-FILE")
		os.Exit(2)
	}
	kind, url, address := os.Args[1], os.Args[3], os.Args[4]
	count, err := strconv.Atoi(os.Args[2])
	check(err)
	pem, err := os.ReadFile(os.Args[5])
	check(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)

	found := report{Statuses: map[string]int{}, Errors: map[string]int{}}
	transport := func() *http3.Transport {
		return &http3.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots},
			QUICConfig:      &quic.Config{HandshakeIdleTimeout: 5 * time.Second},
			Dial: func(ctx context.Context, _ string, t *tls.Config, q *quic.Config) (*quic.Conn, error) {
				return quic.DialAddrEarly(ctx, address, t, q)
			},
		}
	}
	if kind == "get" {
		for range count {
			one := transport()
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			found.get(ctx, one, url)
			cancel()
			one.Close()
		}
	} else {
		found.reset(transport, url, count)
	}
	check(json.NewEncoder(os.Stdout).Encode(found))
}

func (r *report) get(ctx context.Context, client *http3.Transport, url string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	check(err)
	response, err := client.RoundTrip(request)
	if err != nil {
		r.Errors[err.Error()]++
		return
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
	r.Statuses[strconv.Itoa(response.StatusCode)]++
}

// reset opens requests on connections of 500 each, 50 at a time, and cancels each a moment after it was sent.
func (r *report) reset(transport func() *http3.Transport, url string, count int) {
	for done := 0; done < count; done += 500 {
		client := transport()
		// The handshake is over before the first request that is reset.
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		opening := report{Statuses: map[string]int{}, Errors: map[string]int{}}
		opening.get(ctx, client, url)
		cancel()
		for text := range opening.Errors {
			fmt.Fprintln(os.Stderr, "no connection:", text)
			os.Exit(1)
		}
		slots := make(chan struct{}, 50)
		var all sync.WaitGroup
		var lock sync.Mutex
		for range min(500, count-done) {
			slots <- struct{}{}
			all.Add(1)
			go func() {
				defer all.Done()
				ctx, cancel := context.WithTimeout(context.Background(), 2*time.Millisecond)
				defer cancel()
				one := report{Statuses: map[string]int{}, Errors: map[string]int{}}
				one.get(ctx, client, url)
				lock.Lock()
				for status, n := range one.Statuses {
					r.Statuses[status] += n
				}
				for text, n := range one.Errors {
					r.Errors[text] += n
				}
				lock.Unlock()
				<-slots
			}()
		}
		all.Wait()
		client.Close()
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
