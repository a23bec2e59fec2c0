package server

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"purser"
	"purser/internal/deliver"
	"purser/internal/edge/httpapi"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/rule/mandate"
)

// AccessAsk is an operator's ask for the report of a subject-access mandate.
type AccessAsk struct {
	Mandate purser.MandateID   `json:"mandate"`
	Format  deliver.ReportForm `json:"format"`
}

// AccessStatement says what a report is. Nothing in it is a value.
type AccessStatement struct {
	Mandate   purser.MandateID   `json:"mandate"`
	Format    deliver.ReportForm `json:"format"`
	Entry     purser.Pos         `json:"entry"`
	Fields    int                `json:"fields"` // that the record holds
	Events    int                `json:"events"`
	Recipient string             `json:"recipient"`
	Bytes     int64              `json:"bytes"`
	SHA256    string             `json:"sha256"`
	DeleteBy  time.Time          `json:"delete_by"`
}

// AccessReport writes what is held of the mandate's customer and what was done
// with it, encrypted to the mandate's recipient. It reads the whole ledger.
func (d *Deployment) AccessReport(ask AccessAsk) Work {
	return func(ctx context.Context, out io.Writer, progress func(done, total int64)) (any, error) {
		if ask.Format == "" {
			ask.Format = deliver.ReportPDF
		}
		if ask.Format != deliver.ReportPDF && ask.Format != deliver.ReportJSON {
			return nil, &UsageError{"the format is neither pdf nor json"}
		}
		m, words, err := d.worksUnder(ctx, ask.Mandate, purser.DeliverReport)
		if err != nil {
			return nil, err
		}
		told := history{d: d, customer: m.Customer(), mandates: make(map[purser.MandateID]asked), persons: make(map[purser.PersonID]int)}
		if err := told.read(ctx, d.log.Size(), progress); err != nil {
			return nil, err
		}
		report := deliver.Report{Company: d.cfg.Company, Mandate: ask.Mandate, Made: d.clock().Now().UTC(), Events: told.events}
		said := AccessStatement{
			Mandate: ask.Mandate, Format: ask.Format, Events: len(told.events), Recipient: words.Recipient, DeleteBy: m.Expires.Time(),
		}
		file, err := deliver.NewSealed(out, words.Recipient)
		if err != nil {
			return nil, err
		}
		walk := walk{d: d, ask: gate.ReleaseAsk{Mandate: ask.Mandate, To: purser.DeliverReport, Fields: m.Fields}, m: m}
		err = walk.run(ctx, func(o gate.Opened) error {
			d.fill(&report, o)
			said.Fields, said.Entry = len(report.Held), o.Pos
			return deliver.WriteReport(file, ask.Format, &report)
		})
		if err != nil {
			return nil, err
		}
		if walk.opened == 0 {
			return nil, &UsageError{"nothing is held of the customer any more"}
		}
		if err := file.Close(); err != nil {
			return nil, fmt.Errorf("finish the report: %w", err)
		}
		said.Bytes, said.SHA256 = file.Sum()
		return said, nil
	}
}

// fill puts what was opened into the report.
func (d *Deployment) fill(r *deliver.Report, o gate.Opened) {
	r.Customer = o.Customer
	for _, f := range d.Records.Schema().Fields() {
		value, held := o.Values[f.Bit]
		if !held {
			continue
		}
		one := deliver.Held{Name: f.Name, Value: value}
		if d.Records.Schema().Disclosable()&purser.Mask(f.Bit) == 0 {
			one.Shown = "compared with what a caller says; shown to nobody who works here"
		}
		r.Held = append(r.Held, one)
	}
	for _, t := range o.Texts {
		bit, _ := d.Records.Schema().Bit(t.Field)
		r.Texts = append(r.Texts, deliver.HeldText{Name: bit.Field.Name, Written: t.Written.Time(), Text: t.Text})
	}
}

// asked is what a report must know of a mandate.
type asked struct {
	kind purser.MandateKind
	gag  purser.Stamp
}

// history collects what the ledger says was done with one customer's record.
type history struct {
	d        *Deployment
	customer purser.Ordinal
	now      purser.Stamp
	mandates map[purser.MandateID]asked
	persons  map[purser.PersonID]int
	vendors  map[purser.VendorID]purser.Plain
	events   []deliver.ReportEvent
}

func (h *history) read(ctx context.Context, size purser.Pos, progress func(done, total int64)) error {
	h.now, h.vendors = h.d.log.Now(), make(map[purser.VendorID]purser.Plain)
	for v, err := range h.d.People.Vendors(ctx) {
		if err != nil {
			return fmt.Errorf("read the names of vendors: %w", err)
		}
		h.vendors[v.Vendor] = v.Name
	}
	for stored, err := range h.d.db.Entries(ctx, 0, size) {
		if err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
		header, payload, err := purser.ReadHeader(stored.Bytes)
		if err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
		if progress != nil && header.Pos%4096 == 0 {
			progress(int64(header.Pos), int64(size))
		}
		if !tellsOfCustomers(header.Kind) {
			continue
		}
		e, err := purser.ParsePayload(header.Kind, payload)
		if err != nil {
			return fmt.Errorf("read position %d: %w", header.Pos, err)
		}
		if err := h.entry(ctx, header, e); err != nil {
			return err
		}
	}
	return nil
}

func tellsOfCustomers(k purser.Kind) bool {
	return slices.Contains([]purser.Kind{
		purser.KindImport, purser.KindAmend, purser.KindExpired, purser.KindDisclosure, purser.KindReleased,
		purser.KindMandateAsked, purser.KindMandateAssigned,
	}, k)
}

// entry takes in one entry. What was refused was not done; and what happened
// under an order of silence is left out until that ends.
func (h *history) entry(ctx context.Context, header purser.Header, e purser.Entry) error {
	if d, ok := e.(purser.Decision); ok && d.Refused() != purser.Allowed {
		return nil
	}
	event := deliver.ReportEvent{At: header.Stamp.Time()}
	switch e := e.(type) {
	case *purser.MandateAsked:
		h.mandates[e.Mandate] = asked{e.For, e.Gag}
		return nil
	case *purser.MandateAssigned:
		h.mandates[e.Mandate] = asked{kind: e.For}
		return nil
	case *purser.Import:
		if h.customer < e.First || uint64(h.customer) >= uint64(e.First)+uint64(e.Count) {
			return nil
		}
		event.What = "the record came with an import"
	case *purser.Amend:
		if e.Customer != h.customer {
			return nil
		}
		event.What, event.Fields = "changed", h.d.fieldNames(e.Fields)
		h.by(ctx, &event, e.Who)
	case *purser.Expired:
		if !slices.Contains(e.Customers, h.customer) {
			return nil
		}
		event.What, event.Fields = "deleted, since its time was over", h.d.fieldNames(e.Fields)
	case *purser.Disclosure:
		if e.Customer != h.customer {
			return nil
		}
		event.What, event.Fields, event.Purpose = "shown", h.d.fieldNames(e.Shown), h.purpose(e.Purpose)
		if !e.Mandate.Zero() {
			event.What = "shown to work on a case"
		}
		h.by(ctx, &event, e.Who)
	case *purser.Released:
		if _, names := slices.BinarySearch(e.Customers, h.customer); !names || h.silent(e.Mandate) {
			return nil
		}
		event.What, event.Fields = releasedWords(h.mandates[e.Mandate].kind), h.d.fieldNames(e.Fields)
		h.by(ctx, &event, e.Who)
	default:
		return nil
	}
	h.events = append(h.events, event)
	return nil
}

// silent reports whether the customer may not be told yet.
func (h *history) silent(id purser.MandateID) bool { return h.mandates[id].gag > h.now }

func (h *history) purpose(p purser.Purpose) string {
	names := h.d.Records.Schema().Purposes()
	if p == 0 || int(p) > len(names) {
		return ""
	}
	return names[p-1]
}

// by says who did it: the vendor, a number, and the role; never a name.
func (h *history) by(ctx context.Context, event *deliver.ReportEvent, who purser.Actor) {
	if who.Person.Zero() {
		return
	}
	if h.persons[who.Person] == 0 {
		h.persons[who.Person] = len(h.persons) + 1
	}
	event.Vendor, event.Person, event.Role = h.vendors[who.Vendor], h.persons[who.Person], "agent"
	_ = h.d.log.Look(ctx, func(s *fold.State, _ purser.Stamp) error {
		if person, ok := s.Standing().Person(who.Person); ok && person.Roles.Has(purser.RoleLead) {
			event.Role = "lead"
		}
		return nil
	})
}

// releasedWords says what a release of a kind is to the customer.
func releasedWords(k purser.MandateKind) string {
	switch {
	case k == purser.MandateCallBack:
		return "dialled, without being shown"
	case k == purser.MandateNotice:
		return "used to send a notice"
	case k == purser.MandateSubjectAccess:
		return "reported to the customer"
	case k == purser.MandateInvestigation:
		return "compared inside the program in an investigation"
	case k == purser.MandateLegalOrder:
		return "handed over by a legal order"
	case mandate.Assigned(k):
		return "shown to work on a case"
	}
	return httpapi.MandateName(k)
}
