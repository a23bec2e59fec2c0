package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/seal"
)

// PageSize is how many texts one page of a timeline shows at most.
const PageSize = 20

// TimelineAsk is a wish to see a page of the timeline of a contact's customer,
// or of a mandate's.
type TimelineAsk struct {
	Asker
	Contact purser.ContactID
	Mandate purser.MandateID // in place of a contact
	Before  purser.Pos       // the page shows what was written before; zero: the newest
	Purpose purser.Purpose
}

// TimelineItem is one text of a timeline.
type TimelineItem struct {
	record.TimelineRow
	Plain purser.Plain
}

// Timeline is one page.
type Timeline struct {
	Items       []TimelineItem // the newest first
	More        bool           // something older that may be shown is left
	Pos         purser.Pos     // of the entry
	AfterHangUp uint32         // as in Disclosed
}

// page is what a page would show, looked up before anybody decided that it may:
// for each kind the newest of a customer, one more than fit; and, of the last
// decision, what it does show.
type page struct {
	customer purser.Ordinal
	bits     seal.TextBits
	found    []record.TimelineRow
	rows     []record.TimelineRow
	more     bool
}

// shows puts what fits of the texts whose bits are allowed on the page of a
// customer, the newest first, and returns the bits of those. Texts that are not
// allowed count like texts that are not there (L5).
func (p *page) shows(allowed purser.FieldMask, customer purser.Ordinal) (shown purser.FieldMask) {
	p.rows = nil
	for _, row := range p.found {
		if customer == p.customer && p.bits.Of(row.Kind)&allowed != 0 {
			p.rows = append(p.rows, row)
		}
	}
	slices.SortFunc(p.rows, func(a, b record.TimelineRow) int { return cmp.Compare(b.Pos, a.Pos) })
	p.more = len(p.rows) > PageSize
	p.rows = p.rows[:min(len(p.rows), PageSize)]
	for _, row := range p.rows {
		shown |= p.bits.Of(row.Kind)
	}
	return shown
}

// Timeline decides about one page like Disclose about the fields that the
// schema gives to the texts of cases and notes, records the decision, and opens
// the page against its receipt. One entry a page. Where there is nothing, or
// nothing that may be shown, the page is empty, and that is all that can be
// told.
func (g *Gate) Timeline(ctx context.Context, ask TimelineAsk) (Timeline, error) {
	p, err := g.page(ctx, &ask)
	if err != nil {
		return Timeline{}, err
	}
	receipt, after, err := g.disclosure(ctx, &Ask{
		Asker: ask.Asker, Contact: ask.Contact, Mandate: ask.Mandate, Fields: p.bits.Case | p.bits.Note,
		Path: purser.PathDesk, Purpose: ask.Purpose, page: &p,
	})
	if refusal, ok := errors.AsType[*purser.Refusal](err); ok && refusal.Reason == purser.FieldsNotAllowed {
		return Timeline{Pos: refusal.At}, nil
	}
	if err != nil {
		return Timeline{}, err
	}
	items, err := g.openPage(ctx, receipt, &p)
	if err != nil {
		return Timeline{}, fmt.Errorf("open a timeline for %v%v: %w", ask.Contact, ask.Mandate, err)
	}
	if len(items) == 0 {
		return Timeline{Pos: receipt.Pos()}, nil
	}
	return Timeline{items, p.more, receipt.Pos(), after}, nil
}

// page looks the texts up of whoever is asked for now. Nobody costs the same.
func (g *Gate) page(ctx context.Context, ask *TimelineAsk) (page, error) {
	p := page{bits: g.c.Records.Schema().Texts()}
	err := g.c.Log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		hold, _ := s.Contacts().Held(ask.Contact, ask.Session, at)
		m, _ := s.Mandates().Mandate(ask.Mandate)
		p.customer = cmp.Or(hold.Customer, m.Customer())
		return nil
	})
	if err != nil {
		return p, fmt.Errorf("look for the customer: %w", err)
	}
	before := ask.Before
	if before == 0 || before > math.MaxInt64 {
		before = math.MaxInt64
	}
	p.found, err = g.c.Records.TextsOf(ctx, p.customer, before, PageSize+1)
	return p, err
}

// openPage opens the texts of a page against the receipt of its entry. Of a
// customer who is gone by now there are none.
func (g *Gate) openPage(ctx context.Context, receipt ledger.Receipt, p *page) ([]TimelineItem, error) {
	sealed, err := g.c.Records.SealedAgain(ctx, p.customer)
	if errors.Is(err, record.ErrNoCustomer) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	texts := make([]seal.Text, len(p.rows))
	for i, row := range p.rows {
		texts[i] = row.Text
	}
	plain, err := g.c.Keys.OpenTexts(receipt, sealed, p.bits, texts)
	if err != nil {
		return nil, err
	}
	items := make([]TimelineItem, len(p.rows))
	for i, row := range p.rows {
		items[i] = TimelineItem{row, plain[i]}
	}
	return items, nil
}
