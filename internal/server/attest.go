package server

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"purser"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/rule/forbidden"
)

// AttestAsk is an operator's ask for a statement of what is held. Against is
// how many customers there should be; nil: nobody says.
type AttestAsk struct {
	Mandate purser.MandateID `json:"mandate"`
	Against *uint64          `json:"against,omitempty"`
}

// HoldingsStatement is the signed statement and what it says.
type HoldingsStatement struct {
	Note      string           `json:"note"` // as a signed note: docs/formats/holdings.md
	Entry     purser.Pos       `json:"entry"`
	Mandate   purser.MandateID `json:"mandate"`
	At        time.Time        `json:"at"`
	Customers uint64           `json:"customers"`
	Fields    uint64           `json:"fields"`
	Texts     uint64           `json:"texts"`
	Classes   []ClassCount     `json:"classes"`
	Found     uint64           `json:"found"`
	Releases  int              `json:"releases"`
	// Differs says that there are not as many customers as there should be.
	Differs bool `json:"differs"`
}

// ClassCount is how often one class was found.
type ClassCount struct {
	Class string `json:"class"`
	Found uint64 `json:"found"`
}

// Attest searches everything that the mandate names, inside the process, for
// what must not be held, signs what it found with the key of checkpoints, and
// records the hash of the signed statement. The mandate is an investigation of
// every customer and every field: a statement about less would mislead.
func (d *Deployment) Attest(ask AttestAsk) Work {
	return func(ctx context.Context, out io.Writer, progress func(done, total int64)) (any, error) {
		m, _, err := d.worksUnder(ctx, ask.Mandate, purser.DeliverMatch)
		if err != nil {
			return nil, err
		}
		if whole := d.everyField(); m.UpTo == 0 || m.Fields != whole {
			return nil, &UsageError{"the mandate does not name every customer and every field: " + strings.Join(d.fieldNames(whole), ", ")}
		}
		search := record.NewSearch()
		walk := walk{d: d, ask: gate.ReleaseAsk{Mandate: ask.Mandate, To: purser.DeliverMatch, Fields: m.Fields}, m: m, progress: progress}
		err = walk.run(ctx, func(o gate.Opened) error {
			texts := make([]purser.Plain, len(o.Texts))
			for i := range o.Texts {
				texts[i] = o.Texts[i].Text
			}
			search.Look(o.Values, texts)
			return nil
		})
		if err != nil {
			return nil, err
		}
		said := HoldingsStatement{
			Mandate: ask.Mandate, At: d.clock().Now().UTC().Truncate(time.Second), Customers: search.Customers, Fields: search.Fields,
			Texts: search.Texts, Found: search.Sum(), Releases: len(walk.entries),
		}
		for _, c := range forbidden.Classes() {
			said.Classes = append(said.Classes, ClassCount{c.String(), search.Found[c]})
		}
		said.Differs = ask.Against != nil && *ask.Against != said.Customers
		if err := d.signHoldings(ctx, &said); err != nil {
			return nil, err
		}
		_, err = io.WriteString(out, said.Note)
		return said, err
	}
}

// everyField are the full bits of the schema: a masked form holds nothing more.
func (d *Deployment) everyField() (m purser.FieldMask) {
	for _, f := range d.Records.Schema().Fields() {
		m |= purser.Mask(f.Bit)
	}
	return m
}

// text is what is signed.
func (s *HoldingsStatement) text(origin string, schema purser.Hash) string {
	var b strings.Builder
	fmt.Fprintf(&b, "purser holdings v1\n%s\n", origin)
	fmt.Fprintf(&b, "at %s\nmandate %s\nschema %x\n", s.At.Format(time.RFC3339), s.Mandate, schema)
	fmt.Fprintf(&b, "customers %d\nfields %d\ntexts %d\n", s.Customers, s.Fields, s.Texts)
	for _, c := range s.Classes {
		fmt.Fprintf(&b, "found %s %d\n", c.Class, c.Found)
	}
	return b.String()
}

// signHoldings signs the statement, keeps it, and records its hash.
func (d *Deployment) signHoldings(ctx context.Context, s *HoldingsStatement) error {
	signed, err := note.Sign(&note.Note{Text: s.text(d.origin, d.Records.Schema().Hash())}, d.signer)
	if err != nil {
		return fmt.Errorf("sign the statement: %w", err)
	}
	s.Note = string(signed)
	e := &purser.Holdings{Statement: sha256.Sum256(signed), Customers: s.Customers, Fields: s.Fields, Texts: s.Texts, Found: s.Found}
	receipt, err := d.log.ProposeRows(ctx, purser.VendorID{},
		func(*fold.State, purser.Stamp) purser.Entry { return e },
		func(tx ledger.Tx, pos purser.Pos, _ purser.Entry) error {
			return d.db.PutHoldings(tx, pos, e.Statement, signed)
		})
	if err != nil {
		return fmt.Errorf("record the statement: %w", err)
	}
	s.Entry = receipt.Pos()
	return nil
}
