package telephony

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"purser"
)

// Heartbeat is how often a source without events says that it is alive.
const Heartbeat = 5 * time.Second

// maxUnsent bounds what a client keeps while nobody answers.
const maxUnsent = 1024

// Send delivers one request. A *purser.Refusal, ErrMalformed or ErrUnauthentic
// (by errors.Is) means that sending it again is no use.
type Send func(ctx context.Context, r Request) error

// Client speaks the event format for one source. It numbers and signs events,
// keeps what could not be delivered and sends it first next time, with the
// same bytes and a fresh signature. It is used by one goroutine.
type Client struct {
	source purser.SourceID
	secret []byte
	now    func() time.Time
	send   Send
	next   uint64
	unsent []unsent
	last   time.Time // of the last delivery
}

type unsent struct {
	id   string
	body []byte
}

// NewClient returns a client whose first event has the number first. A source
// never uses a number twice: keep Next where a restart finds it, or begin at
// the clock's microseconds.
func NewClient(source purser.SourceID, secret []byte, first uint64, now func() time.Time, send Send) *Client {
	return &Client{source: source, secret: secret, now: now, send: send, next: first}
}

// Next returns the number of the next event.
func (c *Client) Next() uint64 { return c.next }

// Emit sends one event after all that could not be delivered before. The
// number in d is set by the client.
func (c *Client) Emit(ctx context.Context, event purser.Event, d Data) error {
	k, ok := kindOf(func(k kind) bool { return k.event == event })
	if !ok {
		return malformed("type", "is not one of the format's")
	}
	seq := c.next
	d.Sequence = &seq
	if err := d.check(k); err != nil {
		return err
	}
	u, err := c.encode(k, d)
	if err != nil {
		return err
	}
	c.next++
	if len(c.unsent) == maxUnsent {
		c.unsent = c.unsent[1:] // a gap: the next snapshot ends it
	}
	c.unsent = append(c.unsent, u)
	return c.deliver(ctx)
}

func (c *Client) encode(k kind, d Data) (unsent, error) {
	id := "e" + strconv.FormatUint(*d.Sequence, 10)
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	err := e.Encode(message{
		SpecVersion: "1.0", ID: id, Source: c.source.String(), Type: k.name,
		Time: c.now().UTC().Format(time.RFC3339Nano), Data: d,
	})
	if err != nil {
		return unsent{}, fmt.Errorf("encode event: %w", err)
	}
	if body.Len() > MaxBody {
		return unsent{}, malformed("the body", "is over 64 KiB")
	}
	return unsent{id, bytes.TrimSuffix(body.Bytes(), []byte("\n"))}, nil
}

// deliver sends what waits, in order, until one cannot be delivered. What is
// refused is not kept; its error is returned after the rest was sent.
func (c *Client) deliver(ctx context.Context) error {
	var refused []error
	for len(c.unsent) > 0 {
		u := c.unsent[0]
		now := c.now()
		timestamp := strconv.FormatInt(now.Unix(), 10)
		err := c.send(ctx, Request{
			Source: c.source, ID: u.id, Timestamp: timestamp,
			Signature: Sign(c.secret, u.id, timestamp, u.body), Body: u.body,
		})
		if err != nil && !final(err) {
			return errors.Join(append(refused, fmt.Errorf("send event: %w", err))...)
		}
		c.unsent, c.last = c.unsent[1:], now
		if err != nil {
			refused = append(refused, fmt.Errorf("send event: %w", err))
		}
	}
	return errors.Join(refused...)
}

func final(err error) bool {
	var refusal *purser.Refusal
	return errors.As(err, &refusal) || errors.Is(err, ErrMalformed) || errors.Is(err, ErrUnauthentic)
}

// Tick sends a heartbeat if nothing was sent for five seconds. Call it at
// least each second.
func (c *Client) Tick(ctx context.Context) error {
	if c.now().Sub(c.last) < Heartbeat {
		return nil
	}
	return c.Emit(ctx, purser.EventHeartbeat, Data{})
}

// partSize is how many contacts fit a part of a snapshot with the longest ids.
const partSize = 100

// Snapshot says which contacts are live, in as many parts as it takes. It is
// the first event of a source, and ends staleness.
func (c *Client) Snapshot(ctx context.Context, live []Live) error {
	for first := true; first || len(live) > 0; first = false {
		n := min(partSize, len(live))
		d := Data{Live: live[:n], More: n < len(live), Continues: !first}
		live = live[n:]
		if err := c.Emit(ctx, purser.EventSnapshot, d); err != nil {
			return err
		}
	}
	return nil
}
