package server_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"purser"
	"purser/internal/edge/web"
)

// seen is everything about an answer that an asker could tell cases apart by.
type seen struct {
	status  int
	length  int
	header  string
	body    string        // with its reference and entry number blanked
	left    time.Duration // after the request, on the simulated clock
	entries purser.Pos    // how much the ledger grew
	after   work          // the contact as the asker's list shows it then
}

// offset is where between two ticks each request is sent.
const offset = 7 * time.Millisecond

// standing runs f with a clock that moves only as f says.
func (a *airline) standing(f func()) {
	a.t.Helper()
	a.still()
	defer func() { a.still = a.tick() }()
	f()
}

// align moves the clock to offset behind a tick, with no background work due
// before the next.
func (a *airline) align() {
	for {
		now := a.clock.Now()
		a.clock.Advance(now.Truncate(web.Tick).Add(web.Tick + offset).Sub(now))
		if n, first := a.clock.Sleeping(); n == 0 || first.Sub(a.clock.Now()) > web.Tick {
			return
		}
	}
}

// observe asks on a clock that stands, and notes at which tick the answer left
// and that its entries were there by then. Entries that background work adds
// are waited for, up to want.
func (a *airline) observe(want purser.Pos, ask func() answer) (answer, seen) {
	a.t.Helper()
	var got answer
	var left time.Duration
	before := a.d.Status().Size
	a.standing(func() {
		a.align()
		began := a.clock.Now()
		due := began.Truncate(web.Tick).Add(web.Tick)
		done := make(chan struct{})
		go func() { defer close(done); got = ask() }()
		a.until("the answer or its tick", func() bool {
			select {
			case <-done:
				return true
			default:
			}
			_, first := a.clock.Sleeping()
			return first.Equal(due)
		})
		select {
		case <-done:
		default:
			a.clock.Advance(due.Sub(began))
			<-done
		}
		left = a.clock.Now().Sub(began)
	})
	made := func() purser.Pos {
		given, err := a.d.Given(a.t.Context(), before)
		must(a.t, err)
		return a.d.Status().Size - before - given
	}
	a.until(fmt.Sprintf("%d entries", want), func() bool { return made() >= want })
	return got, seen{
		status: got.status, length: len(got.body), header: headerText(got.header), body: blanked(got.body),
		left: left, entries: made(),
	}
}

// headerText is every header but the date.
func headerText(h http.Header) string {
	var lines []string
	for name, values := range h {
		if name != "Date" {
			lines = append(lines, name+": "+strings.Join(values, ", "))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// blanked takes out what names the entry: a reference, of fixed length, and
// its number.
func blanked(body []byte) string {
	for _, member := range []string{`"reference":"`, `"entry":`} {
		before, rest, ok := bytes.Cut(body, []byte(member))
		if !ok {
			continue
		}
		value := rest[:bytes.IndexAny(rest, `",}`)]
		body = slices.Concat(before, []byte(member), bytes.Repeat([]byte("#"), len(value)), rest[len(value):])
	}
	return string(body)
}

// equal fails where two cases differ in anything.
func equal(t *testing.T, one, other string, a, b seen) {
	t.Helper()
	if a.status != b.status || a.length != b.length || a.left != b.left || a.entries != b.entries {
		t.Errorf("%q and %q differ: got status %d, %d bytes, %v, %d entries; and status %d, %d bytes, %v, %d entries",
			one, other, a.status, a.length, a.left, a.entries, b.status, b.length, b.left, b.entries)
	}
	if a.header != b.header {
		t.Errorf("%q and %q differ in headers: got\n%s\nand\n%s", one, other, a.header, b.header)
	}
	if a.body != b.body {
		t.Errorf("%q and %q differ in the body: got %s and %s", one, other, a.body, b.body)
	}
	if fmt.Sprint(a.after) != fmt.Sprint(b.after) {
		t.Errorf("%q and %q differ in what the list shows: got %+v and %+v", one, other, a.after, b.after)
	}
}
