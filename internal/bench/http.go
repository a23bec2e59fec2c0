package bench

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

	"purser"
	"purser/internal/server"
)

// mostAnswer bounds what is read of an answer.
const mostAnswer = 1 << 20

// addresses is how many loopback addresses one client takes turns with. The
// edge limits the requests of one network; a client alone on the machine would
// measure that limit.
const addresses = 4

// caller is one HTTP client that keeps its connections.
type caller struct {
	at   []*http.Client
	turn int
}

// newCaller returns a client that one goroutine uses. number, below 60,000,
// makes its addresses its own.
func newCaller(number int) *caller {
	c := new(caller)
	for i := range addresses {
		n := number*addresses + i + 2
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1+byte(n>>16), byte(n>>8), byte(n))}}
		c.at = append(c.at, &http.Client{
			Timeout: time.Minute, Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 2},
		})
	}
	return c
}

// post sends one request that the agent's page signed and returns status and
// body of the answer.
func (c *caller) post(ctx context.Context, a *agent, url string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	a.client.Sign(req, body)
	c.turn++
	resp, err := c.at[c.turn%len(c.at)].Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("send request: %w", err)
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	return resp.StatusCode, answer, err
}

func (c *caller) close() {
	for _, client := range c.at {
		client.CloseIdleConnections()
	}
}

// serving is an HTTP server and how to stop it.
type serving struct {
	url  string
	stop func() error
}

// serve puts the site's API on a loopback port.
func (s *site) serve(ctx context.Context) (*serving, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	// Each agent asks as often as the machine can answer.
	served, err := server.ServeAt(ctx, s.Deployment, listener, server.Pace{Rate: 1e9, Burst: 1e9})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("serve: %w", err), listener.Close())
	}
	return &serving{
		url:  "http://" + served.Address(),
		stop: func() error { return served.Shutdown(context.WithoutCancel(ctx)) },
	}, nil
}

// bareLength is how much the reference of P3 answers: about as much as a
// disclosure of four fields.
const bareLength = 200

// serveBare is the reference of P3: a handler that reads the request and
// answers 200 bytes.
func serveBare() (*serving, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	text := bytes.Repeat([]byte{'x'}, bareLength)
	bare := &http.Server{
		ReadHeaderTimeout: time.Second,
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = rw.Write(text)
		}),
	}
	ended := make(chan error, 1)
	go func() { ended <- bare.Serve(listener) }()
	return &serving{
		url: "http://" + listener.Addr().String(),
		stop: func() error {
			err := bare.Close()
			<-ended
			return err
		},
	}, nil
}

// httpClients is how many clients ask at once.
const httpClients = 32

// web measures P3.
func (r *revealer) web(ctx context.Context, o Options, size revealSize) (result Result, err error) {
	ours, err := r.serve(ctx)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, ours.stop()) }()
	bare, err := serveBare()
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()
	clients, err := r.webClients(ctx, ours.url)
	defer func() {
		for _, c := range clients {
			c.close()
		}
	}()
	if err != nil {
		return Result{}, err
	}
	return r.webRounds(ctx, o, size, clients, ours.url, bare.url)
}

// disclosePath is where the fields of a contact are asked for.
func disclosePath(c purser.ContactID) string { return "/v1/contacts/" + c.String() + "/disclose" }

func discloseBody() ([]byte, error) {
	return json.Marshal(map[string]any{"fields": shownFields, "purpose": "loyalty"})
}

// webClients makes the clients and has each look once that all fields come.
func (r *revealer) webClients(ctx context.Context, url string) (clients []*caller, err error) {
	body, err := discloseBody()
	if err != nil {
		return nil, err
	}
	if err := r.beat(ctx); err != nil {
		return nil, err
	}
	for i := range min(httpClients, 2*r.size.agents) {
		d := r.desks[i*r.size.contacts]
		c := newCaller(i)
		clients = append(clients, c)
		var shown struct {
			Fields map[string]string `json:"fields"`
		}
		status, answer, err := c.post(ctx, d.agent, url+disclosePath(d.contact), body)
		if err != nil {
			return clients, err
		}
		if err := json.Unmarshal(answer, &shown); err != nil || len(shown.Fields) != len(shownFields) {
			return clients, fmt.Errorf("%w: status %d", errNotShown, status)
		}
	}
	return clients, nil
}

func (r *revealer) webRounds(ctx context.Context, o Options, size revealSize, clients []*caller, ours, bare string) (Result, error) {
	body, err := discloseBody()
	if err != nil {
		return Result{}, err
	}
	ask := func(base string) func(context.Context, int, int) error {
		return func(ctx context.Context, who, turn int) error {
			each := r.size.contacts
			d := r.desks[who*each+turn%each]
			status, answer, err := clients[who].post(ctx, d.agent, base+disclosePath(d.contact), body)
			if err == nil && (status != http.StatusOK || len(answer) < len(`{"fields":{}}`)) {
				err = fmt.Errorf("%w: status %d", errNotShown, status)
			}
			return err
		}
	}
	var rounds Rounds
	var spread spread
	for round := range size.rounds {
		o.say("P3, round %d of %d", round+1, size.rounds)
		reference, err := drive(ctx, len(clients), size.round, ask(bare))
		if err != nil {
			return Result{}, err
		}
		if err := r.beat(ctx); err != nil {
			return Result{}, err
		}
		disclosed, err := drive(ctx, len(clients), size.round, ask(ours))
		if err != nil {
			return Result{}, fmt.Errorf("disclose over HTTP: %w", err)
		}
		rounds.Add(disclosed.rate, reference.rate)
		spread.add(disclosed, reference.cpu)
	}
	what := fmt.Sprintf("as P1 over HTTP on this machine: %d clients with a connection each per address, signed requests, "+
		"JSON, padded and logged as served", len(clients))
	out := rounds.Result("P3", what, "disclosures/s",
		"bare net/http handler that reads the same signed request and answers 200 bytes, same clients", 0.35, AtLeast)
	spread.complete(&out, 25)
	return out, nil
}
