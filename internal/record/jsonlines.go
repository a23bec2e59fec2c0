package record

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// fromJSON takes a line apart that is one object: the cells in the order of the
// plan's columns. Texts and numbers are cells as they stand, null is none, and a
// list of them is one cell with a comma and a space between.
func fromJSON(line string, p *plan, cells []string) (_ []string, problem string) {
	for range p.width {
		cells = append(cells, "")
	}
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return cells, problemJSON
	}
	seen := make([]bool, p.width)
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return cells, problemJSON
		}
		text, ok := name.(string)
		at, known := p.names[text]
		switch {
		case !ok:
			return cells, problemJSON
		case !known:
			return cells, "names something that is no column"
		case seen[at]:
			return cells, "names one column twice"
		}
		seen[at] = true
		if cells[at], problem = jsonCell(d); problem != "" {
			return cells, problem
		}
	}
	if _, err := d.Token(); err != nil {
		return cells, problemJSON
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return cells, problemJSON
	}
	return cells, ""
}

const (
	problemJSON = "is no JSON object"
	problemDeep = "holds something that is neither text nor number"
)

// jsonCell reads one value.
func jsonCell(d *json.Decoder) (text, problem string) {
	t, err := d.Token()
	if err != nil {
		return "", problemJSON
	}
	if t != json.Delim('[') {
		return jsonText(t)
	}
	var list []string
	for d.More() {
		if t, err = d.Token(); err != nil {
			return "", problemJSON
		}
		if text, problem = jsonText(t); problem != "" {
			return "", problem
		}
		if text != "" {
			list = append(list, text)
		}
	}
	if _, err := d.Token(); err != nil {
		return "", problemJSON
	}
	return strings.Join(list, ", "), ""
}

func jsonText(t json.Token) (text, problem string) {
	switch t := t.(type) {
	case nil:
		return "", ""
	case string:
		return t, ""
	case json.Number:
		return t.String(), ""
	}
	return "", problemDeep
}
