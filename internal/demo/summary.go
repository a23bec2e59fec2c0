package demo

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"purser"
)

// summary prints the story of the day on one screen.
func (s *shift) summary(st style, t told, info Info) error {
	var b strings.Builder
	say := func(lines ...string) {
		for _, l := range lines {
			b.WriteString(strings.TrimRight(l, " ") + "\n")
		}
	}
	rule := " " + st.dim(strings.Repeat("─", columns-2))
	fact := func(label, value, text string) string {
		return "   " + left(label, 17) + st.bold(right(value, 7)) + "  " + text
	}
	more := func(parts []string) {
		for _, line := range wrapped(parts, " ·", columns-30) {
			say(right("", 29) + st.dim(cut(line, columns-29)))
		}
	}
	say("", " "+st.bold("PURSER")+"  a made-up airline: an honest day, and one theft"+
		st.dim(right(fmt.Sprintf("seed %d · %s", s.config.Seed, shortTime(t.took)), columns-57)), rule)
	say(" " + st.bold("An honest day") + "  2 vendors, 40 agents, " + thousands(s.config.Customers) + " customers")
	say(fact("contacts", thousands(t.offered), "calls that telephony gave to one agent each"))
	say(fact("callers verified", thousands(t.bound), "the agent types what they say, and sees no answer"))
	say(fact("disclosures", thousands(t.opened), thousands(t.shown)+" fields, each after its entry was durable"))
	say(fact("refused", thousands(sum(t.refusedHonest)), "honest asks, who then went another way:"))
	more(most(t.refusedHonest, purser.Reason.String))
	say(fact("break-glass", thousands(t.glass), "a lead's passkey opened it for a stranded caller"))
	say("", " "+st.bold("The theft")+"  token and key of one agent's session, while the agent is at lunch")
	say("   " + st.dim("A session has no caller, and without a verified caller nothing opens."))
	loot := fmt.Sprintf("%d fields of %d customers", t.loot+t.thiefShown, len(t.thiefCustomers))
	say(fact("the thief asked", thousands(t.asks), "times, and got "+st.judged(t.loot+t.seen+t.thiefShown == 0, loot)+":"))
	more(t.whyNothing())
	say(fact("locked at entry", thousands(t.lock), fmt.Sprintf("by security's passkey: %s more asks, nothing", thousands(t.asksAfter))))
	say(fact("others, after it", thousands(t.others), "disclosures; refused because of the lock: "+st.judged(t.othersLocked == 0, thousands(t.othersLocked))))
	say("", " "+st.bold("The evidence"))
	say(fact("ledger", thousands(t.report.Size), "entries, all under one signed checkpoint"))
	check := func(label string, holds bool, text string) {
		mark := "✓"
		if !holds {
			mark = "✗"
		}
		say("   " + left(label, 17) + right("", 6) + st.judged(holds, mark) + "  " + text)
	}
	check("verified", true, "every entry, root and signature: purser verify") // or there is no summary
	check("complete", t.complete(), "each disclosure that was answered stands in it")
	say(rule)
	s.goOn(say, st, info)
	_, err := io.WriteString(s.config.Out, b.String())
	return err
}

// whyNothing says what became of the thief's asks: those that the ledger has
// as refused, and those that it has no entry of.
func (t *told) whyNothing() []string {
	why := map[string]int{}
	for reason, n := range t.refusedThief {
		why[reason.String()] += n
	}
	if t.paced > 0 {
		why["came too fast"] = t.paced
	}
	if rest := t.asks - sum(t.refusedThief) - t.paced; rest > 0 {
		why["no customers there to list or search"] = rest
	}
	return most(why, itself)
}

// goOn tells how the reader takes over.
func (s *shift) goOn(say func(...string), st style, info Info) {
	p := s.config.Program
	if s.config.Headless && !s.config.Hold {
		if !s.config.temporary {
			say(" Check it yourself:  "+p+" verify --key "+info.Verifier+" \\", "   "+s.config.ledger)
			return
		}
		say(st.dim(" Without --headless the server stays up, so that you can drive it yourself;"),
			st.dim(" with --data DIR the ledger is kept, so that you can verify it yourself."))
		return
	}
	flag := ""
	if filepath.Base(s.config.Info) != infoName || !s.config.temporary {
		flag = " --info " + s.config.Info
	}
	say(" "+st.bold("Now you")+"  in another terminal; the server stays up until Ctrl-C",
		"   "+p+" demo ring --stay"+flag, right("", 5)+st.dim("a customer calls: opens a contact, says what to ask next"),
		"   "+p+" demo call GET /v1/contacts"+flag, right("", 5)+st.dim("any signed request: what could you get without a caller?"),
		"   "+p+" verify --key "+info.Verifier+" \\", "     "+s.config.ledger,
		st.dim("   "+info.Address+" · "+s.config.Info))
}

func sum(counts map[purser.Reason]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}
