package demo

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"purser"
	"purser/internal/telephony"
)

// line is a telephony source that the demo plays: its events travel as signed
// HTTP requests like those of a real switch. It is safe for concurrent use.
type line struct {
	id     purser.SourceID
	secret []byte
	now    func() time.Time
	fault  func(error)

	mu     sync.Mutex
	client *telephony.Client // guarded by mu
	last   time.Time         // guarded by mu: when it last said something
}

func newLine(id purser.SourceID, secret []byte, web *web, now func() time.Time, fault func(error)) *line {
	// Numbers begin at the clock's microseconds, so that a later client of the
	// same source goes on above them.
	first := uint64(now().UnixMicro())
	return &line{
		id: id, secret: secret, now: now, fault: fault,
		client: telephony.NewClient(id, secret, first, now, web.event),
	}
}

// say sends one event.
func (l *line) say(ctx context.Context, event purser.Event, d telephony.Data) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = l.now()
	return l.client.Emit(ctx, event, d)
}

// start sends the first event of a source: which contacts are live.
func (l *line) start(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = l.now()
	return l.client.Snapshot(ctx, nil)
}

// due reports whether the line has to say that it is alive before the clock's
// next step.
func (l *line) due() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now().Sub(l.last) > telephony.Heartbeat-longestStep
}

func (l *line) tick(ctx context.Context) {
	if err := l.say(ctx, purser.EventHeartbeat, telephony.Data{}); err != nil && ctx.Err() == nil {
		l.fault(fmt.Errorf("heartbeat: %w", err))
	}
}

// event sends a signed event over HTTP; it is a telephony.Send.
func (w *web) event(ctx context.Context, r telephony.Request) error {
	_, err := w.about(ctx, r)
	return err
}

// about is event, and returns the contact that it was about, which the server
// alone can name.
func (w *web) about(ctx context.Context, r telephony.Request) (purser.ContactID, error) {
	var told struct {
		Contact purser.ContactID `json:"contact"`
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.base+"/v1/telephony/events", bytes.NewReader(r.Body))
	if err != nil {
		return told.Contact, fmt.Errorf("make event request: %w", err)
	}
	req.Header.Set("Content-Type", "application/cloudevents+json")
	req.Header.Set(telephony.HeaderSource, r.Source.String())
	req.Header.Set(telephony.HeaderID, r.ID)
	req.Header.Set(telephony.HeaderTimestamp, r.Timestamp)
	req.Header.Set(telephony.HeaderSignature, r.Signature)
	resp, err := w.client.Do(req)
	if err != nil {
		return told.Contact, fmt.Errorf("reach the server: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostBody))
	switch resp.StatusCode {
	case http.StatusOK:
		err = errors.Join(err, json.Unmarshal(body, &told))
		return told.Contact, err
	case http.StatusUnauthorized:
		return told.Contact, telephony.ErrUnauthentic
	case http.StatusUnprocessableEntity:
		return told.Contact, telephony.ErrMalformed
	}
	return told.Contact, errors.Join(err, fmt.Errorf("the server answered %d to an event", resp.StatusCode))
}

// secretOf reads a source's secret as the door gives it.
func secretOf(text string) ([]byte, error) {
	secret, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("the source's secret is not base64")
	}
	return secret, nil
}
