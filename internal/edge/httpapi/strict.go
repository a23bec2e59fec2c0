package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// mostNested is how deep a body may be. Responses of authenticators are the
// deepest.
const mostNested = 16

// errNotStrict says what the library's text would not: nothing of the body.
var errNotStrict = errors.New("not strict JSON")

// strictFormats is JSON as everybody must read it alike: UTF-8, one value, no
// member twice, no depths.
func strictFormats() map[string]huma.Format {
	f := huma.DefaultJSONFormat
	f.Unmarshal = func(data []byte, v any) error {
		if !strict(data) {
			return errNotStrict
		}
		return json.Unmarshal(data, v)
	}
	return map[string]huma.Format{"application/json": f, "json": f}
}

func strict(data []byte) bool {
	if !utf8.Valid(data) {
		return false
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if !strictValue(d, 0) {
		return false
	}
	_, err := d.Token()
	return errors.Is(err, io.EOF)
}

func strictValue(d *json.Decoder, depth int) bool {
	token, err := d.Token()
	if err != nil || depth > mostNested {
		return false
	}
	open, ok := token.(json.Delim)
	if !ok {
		return true
	}
	seen := make(map[string]bool)
	for d.More() {
		if open == '{' {
			name, err := d.Token()
			text, ok := name.(string)
			if err != nil || !ok || seen[text] {
				return false
			}
			seen[text] = true
		}
		if !strictValue(d, depth+1) {
			return false
		}
	}
	_, err = d.Token()
	return err == nil
}
