package deliver

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"purser"
)

//go:embed font/DejaVuSansCondensed.ttf
var reportFont []byte

// ReportForm is how a report is written.
type ReportForm string

// The forms.
const (
	ReportJSON ReportForm = "json"
	ReportPDF  ReportForm = "pdf"
)

// ErrReportForm says that a report cannot be written in that form.
var ErrReportForm = errors.New("not a form of a report: want json or pdf")

// Report is what a customer is told of what is held of him, and what became of
// it. Staff appear as numbered persons of a vendor, never by name.
type Report struct {
	Company  string
	Customer purser.CustomerID
	Mandate  purser.MandateID
	Made     time.Time
	Held     []Held
	Texts    []HeldText
	Events   []ReportEvent
}

// Held is one field that the record holds.
type Held struct {
	Name  string
	Value purser.Plain
	// Shown is empty, or says that nobody who works here ever sees it.
	Shown string
}

// HeldText is one text of a case or a note.
type HeldText struct {
	Name    string
	Written time.Time
	Text    purser.Plain
}

// ReportEvent is one thing that was done with the record.
type ReportEvent struct {
	At      time.Time
	What    string
	Fields  []string
	Purpose string
	Vendor  purser.Plain // whose person did it; empty: nobody's
	Person  int          // numbered in the order of the report; 0: nobody
	Role    string
}

// WriteReport writes the report in a form. Nothing of it is kept.
func WriteReport(out io.Writer, form ReportForm, r *Report) error {
	switch form {
	case ReportJSON:
		return r.json(out)
	case ReportPDF:
		return r.pdf(out)
	}
	return ErrReportForm
}

func (r *Report) json(out io.Writer) error {
	held := make([]map[string]any, 0, len(r.Held))
	for _, h := range r.Held {
		held = append(held, map[string]any{"field": h.Name, "value": h.Value.Reveal(), "shown": h.Shown == ""})
	}
	texts := make([]map[string]any, 0, len(r.Texts))
	for _, t := range r.Texts {
		texts = append(texts, map[string]any{"kind": t.Name, "written": t.Written, "text": t.Text.Reveal()})
	}
	events := make([]map[string]any, 0, len(r.Events))
	for _, e := range r.Events {
		one := map[string]any{"at": e.At, "what": e.What, "fields": e.Fields}
		if e.Purpose != "" {
			one["purpose"] = e.Purpose
		}
		if e.Person != 0 {
			one["by"] = map[string]any{"vendor": e.Vendor.Reveal(), "person": e.Person, "role": e.Role}
		}
		events = append(events, one)
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{
		"report": "purser access v1", "company": r.Company, "customer": r.Customer, "mandate": r.Mandate, "made": r.Made,
		"held": held, "texts": texts, "events": events,
	})
}

// undrawn stands in a PDF for a text with letters that its font does not have.
const undrawn = "[written in letters that this page cannot draw; the JSON form of this report has it]"

// drawn returns the text if the embedded font has its letters: Latin, Greek and
// Cyrillic, with marks and signs.
func drawn(text string) string {
	for _, c := range text {
		switch {
		case c == '\n', c == '\t', c >= 0x20 && c < 0x7f, c >= 0xa0 && c <= 0x24f: // Latin
		case c >= 0x1e00 && c <= 0x1eff: // Latin with several marks
		case c >= 0x386 && c <= 0x3ce, c >= 0x401 && c <= 0x45f: // Greek, Cyrillic
		case c == 0x2013, c == 0x2014, c >= 0x2018 && c <= 0x201e, c == 0x2022, c == 0x2026, c == 0x20ac:
		default:
			return undrawn
		}
	}
	return text
}

// The sizes of a page, in millimetres and points.
const (
	margin   = 18
	lineHigh = 5.2
	bodySize = 10
	headSize = 13
)

func (r *Report) pdf(out io.Writer) error {
	p := fpdf.New("P", "mm", "A4", "")
	p.SetMargins(margin, margin, margin)
	p.SetAutoPageBreak(true, margin)
	p.SetLang("en")
	p.SetTitle("What is held of you", true)
	p.SetCreationDate(r.Made)
	p.SetModificationDate(r.Made)
	p.AddUTF8FontFromBytes("body", "", reportFont)
	p.SetFooterFunc(func() {
		p.SetY(-margin + 4)
		p.SetFont("body", "", bodySize-2)
		p.CellFormat(0, lineHigh, fmt.Sprintf("%s, page %d", r.Customer, p.PageNo()), "", 0, "C", false, 0, "")
	})
	p.AddPage()
	line := func(size float64, text string) {
		p.SetFont("body", "", size)
		p.MultiCell(0, lineHigh*size/bodySize, drawn(text), "", "L", false)
	}
	head := func(text string) { p.Ln(lineHigh); line(headSize, text) }
	line(headSize+3, "What "+r.Company+" holds of you")
	line(bodySize, fmt.Sprintf("Customer %s. Made on %s (UTC) under mandate %s.", r.Customer, stampText(r.Made), r.Mandate))
	head("What is held")
	for _, h := range r.Held {
		line(bodySize, h.Name+": "+drawn(h.Value.Reveal()))
		if h.Shown != "" {
			line(bodySize-1, "    "+h.Shown)
		}
	}
	for _, t := range r.Texts {
		line(bodySize, fmt.Sprintf("%s of %s: %s", t.Name, stampText(t.Written), drawn(t.Text.Reveal())))
	}
	head("What was done with it")
	for _, e := range r.Events {
		line(bodySize, e.words())
	}
	if len(r.Events) == 0 {
		line(bodySize, "Nothing.")
	}
	return p.Output(out)
}

func stampText(t time.Time) string { return t.UTC().Format("2 January 2006 15:04") }

// words says an event in one sentence.
func (e *ReportEvent) words() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", stampText(e.At), e.What)
	if len(e.Fields) > 0 {
		fmt.Fprintf(&b, ": %s", strings.Join(e.Fields, ", "))
	}
	if e.Person != 0 {
		fmt.Fprintf(&b, "; by person %d (%s) of %s", e.Person, e.Role, drawn(e.Vendor.Reveal()))
	}
	if e.Purpose != "" {
		fmt.Fprintf(&b, "; for %s", e.Purpose)
	}
	return b.String()
}
