package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const mostBody = 1 << 20

// web sends requests to one server: its public API, or its door on the local
// socket. It is safe for concurrent use.
type web struct {
	base   string
	client *http.Client
}

func newWeb(address string) *web {
	return &web{
		base: "http://" + address,
		client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{
			MaxIdleConns: 256, MaxIdleConnsPerHost: 256, IdleConnTimeout: time.Minute,
		}},
	}
}

// newDoor reaches the operator's door.
func newDoor(socket string) *web {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	return &web{base: "http://door", client: &http.Client{
		Timeout: time.Minute, Transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 16},
	}}
}

func (w *web) close() { w.client.CloseIdleConnections() }

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// problem is an answer that is not the wished one. Its text holds no value:
// problems of the API never do.
type problem struct {
	Status    int    `json:"status"`
	Title     string `json:"title"`
	Answer    string `json:"answer"`
	Reference string `json:"reference"`
}

func (p *problem) Error() string {
	if p.Answer != "" {
		return fmt.Sprintf("the server answered %d: %s", p.Status, p.Answer)
	}
	return fmt.Sprintf("the server answered %d: %s", p.Status, p.Title)
}

// refusal returns the refusal in err, if it is one.
func refusal(err error) (*problem, bool) {
	var p *problem
	ok := errors.As(err, &p) && p.Status == http.StatusForbidden
	return p, ok
}

// signer signs a request that is about to be sent.
type signer interface {
	Sign(req *http.Request, body []byte)
}

// send makes one request; by may be nil.
func (w *web) send(ctx context.Context, by signer, method, path string, body []byte) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, w.base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("make request: %w", err)
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	if by != nil {
		by.Sign(req, body)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("reach the server: %w", err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, mostBody))
	if err != nil {
		return answer{}, fmt.Errorf("read the answer: %w", err)
	}
	return answer{resp.StatusCode, resp.Header, got}, nil
}

// call sends in as JSON and reads the answer into out; either may be nil.
// Whatever is no success is a *problem.
func (w *web) call(ctx context.Context, by signer, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
	}
	got, err := w.send(ctx, by, method, path, body)
	if err != nil {
		return err
	}
	if got.status != http.StatusOK {
		p := new(problem)
		_ = json.Unmarshal(got.body, p) // what is no problem document has a status at least
		p.Status = got.status
		return p
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(got.body, out); err != nil {
		return fmt.Errorf("read the answer to %s: not the expected JSON", method)
	}
	return nil
}

func asProblem(err error) (*problem, bool) {
	var p *problem
	ok := errors.As(err, &p)
	return p, ok
}
