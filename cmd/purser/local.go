package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"purser/internal/server"
)

// localTime is how long a running server may take over one request.
const localTime = time.Minute

// errUnanswered says that a request may or may not have had its effect.
var errUnanswered = errors.New("whether it was done is not known; look at the server's log, then ask again")

// errNoServer says that nobody serves the directory.
var errNoServer = errors.New("start purser serve first, as the same user")

// socket is the operator's door of a running server.
func (f dataFlag) socket() string { return filepath.Join(f.Data, server.DoorName) }

// local sends one request to the operator's socket of a running server. Where
// the outcome is open the error wraps errUnanswered.
func (f dataFlag) local(ctx context.Context, path string, body any) ([]byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	client := http.Client{Timeout: localTime, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", f.socket())
		},
	}}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://local"+path, bytes.NewReader(text))
	if err != nil {
		return nil, usage(errors.New("the path is not one: want for example /door/vendors"))
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(r)
	if dialled := new(net.OpError); errors.As(err, &dialled) && dialled.Op == "dial" {
		return nil, fmt.Errorf("no server answers on %s; %w", f.socket(), errNoServer)
	}
	if err != nil {
		return nil, fmt.Errorf("the server did not answer: %w", errUnanswered)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("the server's answer was cut short: %w", errUnanswered)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return nil, localProblem(resp.StatusCode, answer)
	}
	return answer, nil
}

// localProblem puts a problem of the server into one line.
func localProblem(status int, answer []byte) error {
	var p struct {
		Title     string
		Reference string
		Request   string
		Errors    []struct{ Where, What string }
	}
	_ = json.Unmarshal(answer, &p) // what is no problem has no title
	text := strings.ToLower(p.Title)
	if text == "" {
		text = "the door does not have this; purser door --help lists its paths"
	}
	for _, e := range p.Errors {
		text += fmt.Sprintf("; %s: %s", e.Where, e.What)
	}
	if p.Reference != "" {
		text += "; reference " + p.Reference
	}
	err := errors.New(text)
	switch {
	case status == http.StatusForbidden, status == http.StatusConflict:
		return coded{exitRefused, err}
	case status < http.StatusInternalServerError:
		return usage(err)
	}
	return fmt.Errorf("%w, request %s: %w", err, p.Request, errUnanswered)
}
