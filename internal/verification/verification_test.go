package verification_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"purser"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/record"
	"purser/internal/synth"
	"purser/internal/verification"
)

func TestIdentifyTakesWhatIsSaid(t *testing.T) {
	w := newWorld(t, 60, 4)
	i := w.complete(t, 0)
	number, born := w.Customers[i].LoyaltyNumber, w.Customers[i].BirthDate
	date, err := time.Parse(time.DateOnly, born)
	if err != nil {
		t.Fatal(err)
	}
	for n, c := range []struct {
		name string
		said []verification.Said
		want purser.Reason
	}{
		{"as stored", w.said(i, "loyalty_number", "birth_date"), purser.Allowed},
		{"spaced number, month as a word", []verification.Said{
			{Item: "loyalty_number", Text: " " + number[:3] + " " + strings.ToLower(number[3:])},
			{Item: "birth_date", Text: date.Format("2 January 2006")},
		}, purser.Allowed},
		{"no normal form reads as wrong", []verification.Said{
			{Item: "loyalty_number", Text: number}, {Item: "birth_date", Text: "the day after\x00tomorrow"},
		}, purser.Wrong},
		{"no number at all", []verification.Said{
			{Item: "loyalty_number", Text: "?"}, {Item: "birth_date", Text: born},
		}, purser.Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := w.Vendors[0].Agents[n]
			_, err := w.desk.Identify(t.Context(), m.Asker(), w.connect(t, m), c.said)
			if reason(err) != c.want {
				t.Errorf("got reason %d, want %d", reason(err), c.want)
			}
		})
	}
}

func TestUnreadableInputNamesNoValue(t *testing.T) {
	w := newWorld(t, 10, 1)
	m := w.Vendors[0].Agents[0]
	c := w.connect(t, m)
	before := w.Log.Size()
	for name, said := range map[string][]verification.Said{
		"too long":       {{Item: "birth_date", Text: strings.Repeat("sesame", 100)}},
		"not UTF-8":      {{Item: "name", Text: "sesame\xff"}},
		"given twice":    {{Item: "name", Text: "sesame"}, {Item: "name", Text: "sesame"}},
		"unknown item":   {{Item: "sesame", Text: "open"}},
		"shown, no item": {{Item: "tier", Text: "sesame"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.desk.Identify(t.Context(), m.Asker(), c, said)
			if _, ok := errors.AsType[*verification.ItemError](err); !ok {
				t.Fatalf("got %v, want an ItemError", err)
			}
			if strings.Contains(err.Error(), "sesame") {
				t.Errorf("error %q holds the value", err)
			}
		})
	}
	if made := w.Log.Size() - before; made != 0 {
		t.Errorf("unreadable input made %d entries, want none", made)
	}
}

func TestSpokenCode(t *testing.T) {
	w := newWorld(t, 60, 2)
	i := w.complete(t, 0)
	m := w.Vendors[0].Agents[0]
	c := w.connect(t, m)
	if err := w.desk.SendCode(t.Context(), m.Asker(), c, w.said(i, "loyalty_number")); err != nil {
		t.Fatalf("send: %v (reason %d)", err, reason(err))
	}
	code := w.code(t, i, 1)
	if _, err := w.desk.TryCode(t.Context(), m.Asker(), c, "abcdef"); reason(err) != purser.Wrong {
		t.Errorf("wrong code: got reason %d, want %d", reason(err), purser.Wrong)
	}
	got, err := w.desk.TryCode(t.Context(), m.Asker(), c, code)
	if err != nil || got != purser.A2 {
		t.Fatalf("right code: got %d, %v (reason %d), want A2", got, err, reason(err))
	}
	if _, err := w.desk.TryCode(t.Context(), m.Asker(), c, code); reason(err) != purser.NoCode {
		t.Errorf("code again: got reason %d, want %d", reason(err), purser.NoCode)
	}
	email, _ := w.Records.Schema().Field("email")
	shown, err := w.gate.Disclose(t.Context(), gate.Ask{
		Asker: m.Asker(), Contact: c, Path: purser.PathDesk, Fields: purser.Mask(email.Bit),
	})
	if err != nil || shown.Values[email.Bit].Reveal() != w.Customers[i].Email {
		t.Errorf("e-mail after the code: got %v, %v", shown.Shown, err)
	}
}

func TestKeyedCode(t *testing.T) {
	w := newWorld(t, 60, 2)
	i := w.complete(t, 0)
	m := w.Vendors[0].Agents[0]
	c := w.connect(t, m)
	if err := w.desk.SendCode(t.Context(), m.Asker(), c, nil); reason(err) != purser.NotBound {
		t.Errorf("code to nobody: got reason %d, want %d: he said nothing and knows that nobody is bound", reason(err), purser.NotBound)
	}
	if err := w.desk.SendCode(t.Context(), m.Asker(), c, w.said(i, "loyalty_number")); err != nil {
		t.Fatalf("send: %v (reason %d)", err, reason(err))
	}
	if err := w.Report(t.Context(), 0, purser.ContactEvent{
		Event: purser.EventKeypad, Contact: c, Agent: m.AgentKey, Keyed: w.gate.Commit(c, w.code(t, i, 1)),
	}); err != nil {
		t.Fatal(err)
	}
	if err := w.desk.FollowUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := w.Log.Size()
	if err := w.desk.FollowUp(t.Context()); err != nil || w.Log.Size() != before {
		t.Errorf("second follow-up: got %v and %d entries, want none", err, w.Log.Size()-before)
	}
	address, _ := w.Records.Schema().Field("address")
	got, err := w.gate.Disclose(t.Context(), gate.Ask{Asker: m.Asker(), Contact: c, Path: purser.PathDesk, Fields: purser.Mask(address.Bit)})
	if err != nil || got.Shown != purser.Mask(address.Bit) {
		t.Errorf("address after a keyed code: got %b, %v (reason %d)", got.Shown, err, reason(err))
	}
}

func TestCodeEnds(t *testing.T) {
	w := newWorld(t, 60, 2)
	i := w.complete(t, 0)
	m := w.Vendors[0].Agents[0]
	c := w.connect(t, m)
	send := func() {
		t.Helper()
		if err := w.desk.SendCode(t.Context(), m.Asker(), c, w.said(i, "email")); err != nil {
			t.Fatalf("send: %v (reason %d)", err, reason(err))
		}
	}
	send()
	code := w.code(t, i, 1)
	for range 3 {
		_, _ = w.desk.TryCode(t.Context(), m.Asker(), c, "no code")
	}
	if _, err := w.desk.TryCode(t.Context(), m.Asker(), c, code); reason(err) != purser.TriesSpent {
		t.Errorf("fourth try: got reason %d, want %d", reason(err), purser.TriesSpent)
	}
	send()
	code = w.code(t, i, 2)
	if err := w.Pass(t.Context(), 5*time.Minute+time.Second); err != nil {
		t.Fatal(err)
	}
	if _, err := w.desk.TryCode(t.Context(), m.Asker(), c, code); reason(err) != purser.CodeExpired {
		t.Errorf("after five minutes: got reason %d, want %d", reason(err), purser.CodeExpired)
	}
}

// L5 for codes: whom the items lead to, and whether anything was sent, changes
// neither the answer nor the entries. Seen to fail with the refusal of
// CodeSent returned as it is, and with nothing recorded for one in Deliver.
func TestLaw05CodesLeakNothing(t *testing.T) {
	w := newWorld(t, 400, 8)
	i := w.complete(t, 0)
	mute := 0
	for mute < len(w.Customers) && (w.Customers[mute].Email != "" || w.Customers[mute].LoyaltyNumber == "") {
		mute++
	}
	cases := []struct {
		name string
		said []verification.Said
		sent bool
	}{
		{"known", w.said(i, "loyalty_number"), true},
		{"unknown", []verification.Said{{Item: "email", Text: "nobody@post.example"}}, false},
		{"no form", []verification.Said{{Item: "email", Text: "@"}}, false},
		{"nothing that finds", w.said(i, "birth_date"), false},
	}
	if mute < len(w.Customers) {
		cases = append(cases, struct {
			name string
			said []verification.Said
			sent bool
		}{"no e-mail", w.said(mute, "loyalty_number"), false})
	}
	var want string
	for n, c := range cases {
		m := w.Vendors[n%2].Agents[n/2]
		contact := w.connect(t, m)
		before := w.Log.Size()
		err := w.desk.SendCode(t.Context(), m.Asker(), contact, c.said)
		w.grown(t, before+2)
		list, sizes := w.entries(t, before)
		var kinds []purser.Kind
		for _, e := range list {
			kinds = append(kinds, e.Kind())
		}
		got := fmt.Sprint(err, kinds, sizes)
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%s: got %s, want %s as for %s", c.name, got, want, cases[0].name)
		}
		if result, ok := list[1].(*purser.CodeResult); !ok || (result.Reason == purser.Allowed) != c.sent {
			t.Errorf("%s: got result %+v, want sent %v", c.name, list[1], c.sent)
		}
	}
	if got := len(w.mail.Letters()); got != 1 {
		t.Errorf("got %d letters, want 1", got)
	}
}

func TestBreakGlass(t *testing.T) {
	w := newWorld(t, 60, 2)
	i := w.complete(t, 0)
	m, lead, other := w.Vendors[0].Agents[0], w.Vendors[0].Leads[0], w.Vendors[1].Leads[0]
	ctx := t.Context()
	c := w.connect(t, m)
	if err := w.desk.ApproveBreakGlass(ctx, lead.Asker(), c); err == nil {
		t.Error("approved what nobody asked")
	}
	if err := w.desk.BreakGlass(ctx, m.Asker(), c, w.said(i, "loyalty_number"), purser.EmergencyTravelNow); err != nil {
		t.Fatalf("ask: %v (reason %d)", err, reason(err))
	}
	if err := w.desk.ApproveBreakGlass(ctx, other.Asker(), c); reason(err) != purser.NoContact {
		t.Errorf("another vendor's lead: got reason %d, want %d", reason(err), purser.NoContact)
	}
	if err := w.desk.ApproveBreakGlass(ctx, m.Asker(), c); reason(err) != purser.Policy {
		t.Errorf("the agent himself: got reason %d, want %d", reason(err), purser.Policy)
	}
	if err := w.Pass(ctx, 6*time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := w.desk.ApproveBreakGlass(ctx, lead.Asker(), c); reason(err) != purser.NeedStepUp {
		t.Errorf("without step-up: got reason %d, want %d", reason(err), purser.NeedStepUp)
	}
	if err := w.StepUp(ctx, lead); err != nil {
		t.Fatal(err)
	}
	if err := w.desk.ApproveBreakGlass(ctx, lead.Asker(), c); err != nil {
		t.Fatalf("approve: %v (reason %d)", err, reason(err))
	}
	got, err := w.gate.Disclose(ctx, gate.Ask{Asker: m.Asker(), Contact: c, Path: purser.PathDesk, Fields: ^purser.FieldMask(0)})
	if err != nil {
		t.Fatalf("disclose: %v (reason %d)", err, reason(err))
	}
	for name, want := range map[string]bool{"name": true, "email": true, "address": false, "birth_date": false} {
		f, _ := w.Records.Schema().Field(name)
		if got.Shown.Has(f.Bit) != want {
			t.Errorf("%s under break-glass: shown %v, want %v", name, got.Shown.Has(f.Bit), want)
		}
	}
	if err := w.desk.Undo(ctx, lead.Asker(), c); err != nil {
		t.Fatalf("undo: %v (reason %d)", err, reason(err))
	}
	if _, err := w.gate.Disclose(ctx, gate.Ask{Asker: m.Asker(), Contact: c, Path: purser.PathDesk, Fields: got.Shown}); reason(err) != purser.NotBound {
		t.Errorf("after undoing: got reason %d, want %d", reason(err), purser.NotBound)
	}
	unknown := w.connect(t, w.Vendors[0].Agents[1])
	if err := w.desk.BreakGlass(ctx, w.Vendors[0].Agents[1].Asker(), unknown, []verification.Said{{Item: "email", Text: "no@post.example"}}, purser.EmergencySafety); err != nil {
		t.Errorf("for nobody: got %v (reason %d), want the answer as for somebody", err, reason(err))
	}
}

func TestSecondClaimIsAFinding(t *testing.T) {
	w := newWorld(t, 5, 2)
	ctx := t.Context()
	m, thief := w.Vendors[0].Agents[0], w.Vendors[0].Agents[1]
	c, err := w.Offer(ctx, m, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.desk.Claim(ctx, thief.Asker(), c); reason(err) != purser.NotAssigned {
		t.Errorf("somebody else's contact: got reason %d, want %d", reason(err), purser.NotAssigned)
	}
	if err := w.desk.Claim(ctx, m.Asker(), c); err != nil {
		t.Fatalf("claim: %v (reason %d)", err, reason(err))
	}
	before := w.Log.Size()
	if err := w.desk.Claim(ctx, m.Asker(), c); err != nil || w.Log.Size() != before {
		t.Errorf("claim again: got %v and %d entries, want nothing", err, w.Log.Size()-before)
	}
	// The switch's agent is mapped to the thief: the leg is taken all the same.
	_, err = w.Log.Propose(ctx, purser.VendorID{}, func(*fold.State, purser.Stamp) purser.Entry {
		return &purser.AgentMapped{Source: w.Vendors[0].Source, Agent: m.AgentKey, Person: thief.Who.Person}
	})
	if err != nil {
		t.Fatal(err)
	}
	before = w.Log.Size()
	if err := w.desk.Claim(ctx, thief.Asker(), c); reason(err) != purser.AlreadyClaimed {
		t.Errorf("second claim: got reason %d, want %d", reason(err), purser.AlreadyClaimed)
	}
	list, _ := w.entries(t, before)
	if len(list) != 2 {
		t.Fatalf("second claim: got %d entries, want a refusal and a finding", len(list))
	}
	if f, ok := list[1].(*purser.Finding); !ok || f.What != purser.FindingSecondClaim || f.Who != thief.Who {
		t.Errorf("got %+v, want the finding", list[1])
	}
}

func TestReasonBehindReference(t *testing.T) {
	w := newWorld(t, 60, 2)
	ctx := t.Context()
	m := w.Vendors[0].Agents[0]
	i := w.complete(t, 0)
	said := w.said(i, "loyalty_number", "birth_date")
	said[1].Text = "1 January 1901"
	_, err := w.desk.Identify(ctx, m.Asker(), w.connect(t, m), said)
	refusal, ok := errors.AsType[*purser.Refusal](err)
	if !ok {
		t.Fatalf("got %v, want a refusal", err)
	}
	reference := w.gate.Reference(refusal.At)
	for _, c := range []struct {
		name      string
		asker     gate.Asker
		reference string
		want      purser.Reason
	}{
		{"lead", w.Vendors[0].Leads[0].Asker(), reference, purser.Allowed},
		{"security", w.Security[0].Asker(), reference, purser.Allowed},
		{"agent", m.Asker(), reference, purser.NoRole},
		{"another vendor's lead", w.Vendors[1].Leads[0].Asker(), reference, purser.TargetUnknown},
		{"no code", w.Vendors[0].Leads[0].Asker(), "hello", purser.TargetUnknown},
		{"no refusal", w.Security[0].Asker(), w.gate.Reference(1), purser.TargetUnknown},
		{"beyond the end", w.Security[0].Asker(), w.gate.Reference(1 << 30), purser.TargetUnknown},
		{"nobody", gate.Asker{}, reference, purser.NoSession},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := w.desk.Reason(ctx, c.asker, c.reference)
			if reason(err) != c.want {
				t.Fatalf("got reason %d, want %d", reason(err), c.want)
			}
			if err == nil && got.Reason != purser.Wrong {
				t.Errorf("got %+v, want Wrong", got)
			}
		})
	}
}

// Seen to fail with the person left out of the comparison, with Live asked in
// place of Fresh, and without the step of locks.
func TestNobodyIsToldHisOwnReasons(t *testing.T) {
	w := newWorld(t, 5, 2)
	ctx := t.Context()
	lead, security := w.Vendors[0].Leads[0], w.Security[0]
	c := w.connect(t, w.Vendors[0].Agents[0])
	refused := func(m *synth.Member) string {
		t.Helper()
		refusal, ok := errors.AsType[*purser.Refusal](w.desk.ApproveBreakGlass(ctx, m.Asker(), c))
		if !ok {
			t.Fatal("approved what nobody asked")
		}
		return w.gate.Reference(refusal.At)
	}
	leads, guards := refused(lead), refused(security)
	asks := func(name string, m *synth.Member, reference string, want purser.Reason) {
		t.Helper()
		if _, err := w.desk.Reason(ctx, m.Asker(), reference); reason(err) != want {
			t.Errorf("%s: got reason %d, want %d", name, reason(err), want)
		}
	}
	asks("security, a lead's", security, leads, purser.Allowed)
	asks("security, his own", security, guards, purser.TargetUnknown)
	asks("a lead, his own", lead, leads, purser.TargetUnknown)
	if err := w.Pass(ctx, 6*time.Minute); err != nil {
		t.Fatal(err)
	}
	asks("without a step-up", security, leads, purser.NeedStepUp)
	if _, err := w.desk.Extent(ctx, security.Asker()); reason(err) != purser.NeedStepUp {
		t.Errorf("the extent without a step-up: got reason %d, want %d", reason(err), purser.NeedStepUp)
	}
	if err := w.StepUp(ctx, security); err != nil {
		t.Fatal(err)
	}
	asks("after it", security, leads, purser.Allowed)
	if got, err := w.desk.Extent(ctx, security.Asker()); err != nil || got.Size != w.Log.Size() {
		t.Errorf("the extent: got %+v, %v, want size %d", got, err, w.Log.Size())
	}
	if err := w.StepUp(ctx, lead); err != nil {
		t.Fatal(err)
	}
	if _, err := w.desk.Extent(ctx, lead.Asker()); reason(err) != purser.NoRole {
		t.Errorf("the extent for a lead: got reason %d, want %d", reason(err), purser.NoRole)
	}
	if _, err := w.gate.PlaceLock(ctx, gate.LockAsk{
		Asker: security.Asker(), Lock: purser.LockID{1}, Degree: purser.DegreeLock, Paths: purser.PathAll,
		Target: purser.Target{Kind: purser.TargetPerson, ID: security.Who.Person},
	}); err != nil {
		t.Fatal(err)
	}
	asks("locked", security, leads, purser.Locked)
}

// erased is a book that lost one customer.
type erased struct {
	verification.Customers
	gone purser.Ordinal
}

func (e erased) CustomerID(ctx context.Context, o purser.Ordinal) (purser.CustomerID, error) {
	if o == e.gone {
		return purser.CustomerID{}, fmt.Errorf("read sealed record: %w", record.ErrNoCustomer)
	}
	return e.Customers.CustomerID(ctx, o)
}

// Seen to fail with every error of CustomerID returned: one lost record hid
// the other contacts of the agent.
func TestWorkOutlivesALostRecord(t *testing.T) {
	w := newWorld(t, 60, 2)
	ctx := t.Context()
	m := w.Vendors[0].Agents[0]
	one := w.complete(t, 0)
	other := w.complete(t, one+1)
	for _, i := range []int{one, other} {
		if _, err := w.desk.Identify(ctx, m.Asker(), w.connect(t, m), w.said(i, "loyalty_number", "birth_date")); err != nil {
			t.Fatalf("identify: %v (reason %d)", err, reason(err))
		}
	}
	config := w.config
	config.Customers = erased{config.Customers, purser.Ordinal(one + 1)}
	desk, err := verification.New(config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := desk.Close(); err != nil {
			t.Error(err)
		}
	}()
	list, err := desk.Work(ctx, m.Who.Session)
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	named := 0
	for _, work := range list {
		if !work.Bound {
			t.Errorf("got %+v, want a bound contact", work)
		}
		if !work.Customer.Zero() {
			named++
		}
	}
	if len(list) != 2 || named != 1 {
		t.Errorf("got %d contacts, %d with a customer, want 2 and 1", len(list), named)
	}
}

func TestCloseRecordsWhatWaits(t *testing.T) {
	w := newWorld(t, 60, 2)
	i := w.complete(t, 0)
	m := w.Vendors[0].Agents[0]
	c := w.connect(t, m)
	before := w.Log.Size()
	if err := w.desk.SendCode(context.Background(), m.Asker(), c, w.said(i, "email")); err != nil {
		t.Fatal(err)
	}
	if err := w.desk.Close(); err != nil {
		t.Fatal(err)
	}
	list, _ := w.entries(t, before)
	if len(list) != 2 {
		t.Fatalf("got %d entries after Close, want the code and its result", len(list))
	}
}
