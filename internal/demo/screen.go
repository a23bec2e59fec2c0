package demo

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// How often a terminal is drawn anew, and how often a line is written where
// there is none.
const (
	drawEvery = 120 * time.Millisecond
	lineEvery = 5 * time.Second
)

// screen shows a demo while it runs: in place on a terminal, as lines
// elsewhere.
type screen struct {
	style
	out   io.Writer
	live  bool // a terminal that can be drawn on
	shift *shift
	real  time.Time

	mu     sync.Mutex // guards what follows and out
	what   string     // what is being prepared; empty while the day is worked
	drawn  int        // lines on the screen that belong to the demo
	told   int        // notes that were written as lines
	ended  bool
	end    chan struct{}
	ending sync.WaitGroup
}

func newScreen(s *shift, real time.Time) *screen {
	sc := &screen{out: s.config.Out, shift: s, real: real, end: make(chan struct{})}
	if f, ok := s.config.Out.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		sc.live = true
		sc.colours = os.Getenv("NO_COLOR") == ""
	}
	every := lineEvery
	if sc.live {
		every = drawEvery
		fmt.Fprint(sc.out, "\x1b[?25l") // hide the cursor
	}
	sc.ending.Go(func() { sc.run(every) })
	return sc
}

func (sc *screen) run(every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			sc.mu.Lock()
			sc.draw()
			sc.mu.Unlock()
		case <-sc.end:
			return
		}
	}
}

// doing says what is being prepared.
func (sc *screen) doing(what string) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.what = what
	if sc.live {
		sc.draw()
	} else {
		fmt.Fprintf(sc.out, "%s …\n", what)
	}
}

func (sc *screen) working() {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.what = ""
}

// close takes the display off the screen. It may be called twice.
func (sc *screen) close() {
	sc.mu.Lock()
	if sc.ended {
		sc.mu.Unlock()
		return
	}
	sc.ended = true
	sc.mu.Unlock()
	close(sc.end)
	sc.ending.Wait()
	if sc.live {
		sc.put(nil)
		fmt.Fprint(sc.out, "\x1b[?25h")
	}
}

// draw shows how things are. The caller holds mu.
func (sc *screen) draw() {
	if sc.live {
		sc.put(sc.frame())
		return
	}
	if sc.what == "" {
		sc.line()
	}
}

// put replaces what is on the screen, in one write so that nothing flickers.
func (sc *screen) put(lines []string) {
	wide, high := sc.size()
	lines = lines[:min(len(lines), high-1)] // what scrolls away cannot be drawn over
	var b strings.Builder
	if sc.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r", sc.drawn)
	}
	for _, line := range lines {
		b.WriteString(clip(line, wide) + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	sc.drawn = len(lines)
	_, _ = io.WriteString(sc.out, b.String())
}

// size is what the terminal shows now.
func (sc *screen) size() (wide, high int) {
	if f, ok := sc.out.(*os.File); ok {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 1 {
			return w, h
		}
	}
	return columns, 24
}

// line writes how things are where there is no terminal.
func (sc *screen) line() {
	c := sc.shift.tally.look()
	for _, n := range c.big[min(sc.told, len(c.big)):] {
		fmt.Fprintf(sc.out, "%s  %s\n", n.at.Local().Format("15:04:05"), n.text)
	}
	sc.told = len(c.big)
	done, now := sc.shift.done()
	fmt.Fprintf(sc.out, "%s  %3.0f %%  contacts %s  verified %s  disclosures %s  refused %s  ledger %s\n",
		now.Local().Format("15:04:05"), done*100, thousands(c.contacts), thousands(c.verified),
		thousands(c.disclosures), thousands(total(c.refused)), thousands(sc.shift.deployment.Status().Size))
}

// frame is the whole display.
func (sc *screen) frame() []string {
	head := []string{
		"",
		" " + sc.bold("PURSER") + "  a made-up airline: an honest day, and one theft" +
			sc.dim(right(shortTime(time.Since(sc.real)), columns-57)),
	}
	if sc.what != "" {
		return append(head, " "+sc.dim(strings.Repeat("─", columns-2)), "", "   "+sc.what+" …", "")
	}
	c := sc.shift.tally.look()
	done, now := sc.shift.done()
	head = append(head, " "+sc.bar(done, columns-2),
		sc.dim(fmt.Sprintf("   simulated %s", now.Local().Format("15:04:05")))+
			sc.dim(right(fmt.Sprintf("%s customers · 40 agents · %3.0f %% of the day ",
				thousands(sc.shift.config.Customers), done*100), columns-23)), "")
	head = append(head, sc.figures(c)...)
	head = append(head, "")
	head = append(head, sc.thief(c)...)
	return append(append(head, "", " "+sc.dim("what happens")), sc.happens(c)...)
}

func (sc *screen) figures(c counts) []string {
	s := sc.shift.deployment.Status()
	row := func(label, value, more, label2, value2 string) string {
		return "   " + left(label, 16) + sc.bold(right(value, 7)) + "  " + sc.dim(left(more, 20)) +
			left(label2, 18) + sc.bold(right(value2, 8))
	}
	return []string{
		row("contacts", thousands(c.contacts), fmt.Sprintf("%d live", c.live), "ledger entries", thousands(s.Size)),
		row("callers verified", thousands(c.verified), fmt.Sprintf("%d codes mailed", c.codes), "signed up to", thousands(s.Checkpoint)),
		row("disclosures", thousands(c.disclosures), thousands(c.fields)+" fields", "honest refusals", thousands(total(c.refused))),
		"   " + sc.dim(left("refused because", 18)) + sc.dim(fitting(most(c.refused, itself), columns-21)),
	}
}

func (sc *screen) thief(c counts) []string {
	if c.victim == nil {
		return []string{" " + sc.dim("the theft"), "   " + sc.dim("not yet"), ""}
	}
	loot := sc.good("0 fields of 0 customers")
	if c.loot+c.seen > 0 {
		loot = sc.alarm(fmt.Sprintf("%d fields, %d contacts", c.loot, c.seen))
	}
	out := []string{
		" " + sc.alarm("the theft") + sc.dim("  token and key of "+c.victim.Name+", who is at lunch"),
		"   " + left("the thief asked", 16) + sc.bold(right(thousands(c.asks), 7)) + "  " + sc.dim("times and got ") + loot,
	}
	if c.lock == 0 {
		return append(out, "   "+sc.dim(fitting(most(c.whys, itself), columns-3)))
	}
	return append(out, "   "+left("locked at entry", 16)+sc.bold(right(thousands(c.lock), 7))+
		"  "+sc.dim("by security; others since then: ")+sc.good(thousands(c.othersSince)+" disclosures"))
}

func (sc *screen) happens(c counts) []string {
	wide, _ := sc.size()
	var out []string
	for _, n := range c.notes {
		out = append(out, "   "+sc.dim(n.at.Local().Format("15:04:05"))+"  "+cut(n.text, max(20, wide-13)))
	}
	for len(out) < mostNotes {
		out = append(out, "")
	}
	return out
}

// done is how much of the day is over, and what time it is in it.
func (s *shift) done() (float64, time.Time) {
	now := s.clock.Now()
	return min(1, float64(now.Sub(s.began))/float64(dayLength)), now
}

func total(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// fitting joins as many reasons as a width has room for.
func fitting(all []string, width int) string {
	line := ""
	for _, text := range all {
		if line != "" {
			text = " · " + text
		}
		if utf8.RuneCountInString(line+text) > width {
			break
		}
		line += text
	}
	return line
}

func itself(k string) string { return k }

func shortTime(d time.Duration) string {
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}
