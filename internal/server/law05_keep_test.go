package server_test

import (
	"fmt"

	"purser"
	"purser/internal/telephony"
)

// keeping are the cases of what is written and of who was erased.
func (b *table) keeping() []apart {
	gone := b.someone()
	b.erases(gone)
	same, other, absent, erasedSince := b.someone(), b.someone(), b.someone(), b.someone()
	shared := b.customers[b.shared[0]].Email
	bound := b.someone()
	shownSince, sentSince := b.someone(), b.someone()
	amend := func(m *member, c purser.ContactID) { m.does(at(c, "amend"), amends("email", "")) }
	return []apart{
		{name: "identify somebody who was erased", entries: 2, cases: []alike{
			b.asks("erased", "identify", b.items(gone)),
			b.asks("unknown", "identify", b.unknown()),
			b.asks("wrong", "identify", b.wrong(b.someone())),
		}},
		{name: "code to somebody who was erased", entries: 2, cases: []alike{
			b.asks("erased", "code", b.items(gone)),
			b.asks("unknown", "code", b.unknown()),
			b.asks("known", "code", b.items(b.someone())),
		}},
		{name: "amend", entries: 1, cases: []alike{
			b.asks("what is there", "amend", amends("email", b.customers[same].Email), b.keys(same)),
			b.asks("another", "amend", amends("email", "quite.another@example.com"), b.keys(other)),
			b.asks("what somebody else has", "amend", amends("email", shared), b.keys(b.someone())),
			b.asks("nothing there", "amend", amends("email", "a.new.one@example.com"), b.keys(absent), amend),
			b.asks("erased since", "amend", amends("email", "a.new.one@example.com"), b.keys(erasedSince), b.erasing(erasedSince)),
		}},
		{name: "disclose in a contact that stayed bound", entries: 1, shown: true, cases: []alike{
			b.asks("erased since", "disclose", fields("email", "address"), b.bind(shownSince), b.erasing(shownSince)),
			b.asks("above the assurance", "disclose", fields("email", "address"), b.bind(bound)),
		}},
		{name: "code in a contact that stayed bound", entries: 2, cases: []alike{
			b.asks("erased since", "code", dict{}, b.bind(sentSince), b.erasing(sentSince)),
			b.asks("there", "code", dict{}, b.bind(bound)),
		}},
	}
}

// keys makes a step that binds customer i in the call that came last and has
// him key his code.
func (b *table) keys(i int) func(*member, purser.ContactID) {
	return func(m *member, c purser.ContactID) {
		m.does(at(c, "identify"), b.items(i))
		m.does(at(c, "code"), dict{})
		m.event(purser.EventKeypad, telephony.Data{Call: fmt.Sprintf("call %d", b.phones[m.centre].calls), Digits: b.code(i, 1)})
		b.until("the keyed code", func() bool { return m.work(c).Assurance == "A3" })
	}
}

// erasing makes a step that erases customer i.
func (b *table) erasing(i int) func(*member, purser.ContactID) {
	return func(*member, purser.ContactID) { b.erases(i) }
}

// erases has two people erase customer i.
func (b *table) erases(i int) {
	b.t.Helper()
	agent := b.hire(0, "desk", "agent")
	_, c := agent.identified(i)
	customer := agent.work(c).CustomerID
	if first := b.hire(0, "office", "privacy").votes("privacy", customer); first.Outcome != "voted" {
		b.t.Fatalf("first vote: %q", first.Outcome)
	}
	if second := b.hire(1, "office", "security").votes("security", customer); second.Outcome != "erased" {
		b.t.Fatalf("second vote: %q", second.Outcome)
	}
}
