package web

import (
	"errors"
	"net/http"
	"strings"
)

// AnswerSize is the length in bytes of every answer whose length must tell
// nothing (L5), its line feed included.
const AnswerSize = 512

// errTooLongToPad says that an answer does not fit its length. Its edge gives
// it too much.
var errTooLongToPad = errors.New("answer is longer than its fixed length")

// PadTo returns the text of the member "pad" with which the JSON of v is
// [AnswerSize] long. V has that member already, holding already bytes of plain
// text; where it is left out when empty, already is 0 and v's is empty.
func PadTo(v any, already int) (string, error) { return padTo(v, already, AnswerSize) }

// padMember is what a member that was left out adds besides its text.
const padMember = `,"pad":""`

func padTo(v any, already, size int) (string, error) {
	text := encode(v)
	rest := size - len(text) + already
	if !strings.Contains(string(text), `"pad":`) {
		rest -= len(padMember)
	}
	if text == nil || rest < 1 {
		return "", errTooLongToPad
	}
	return strings.Repeat(".", rest), nil
}

// Pad answers with the JSON object of v, followed by as many spaces as make it
// size bytes long, for a body that has no pad of its own. A body that is longer
// is a fault: nothing is written and the error says so.
func Pad(rw http.ResponseWriter, status int, v any, size int) error {
	text := encode(v)
	if text == nil || len(text) > size {
		return errTooLongToPad
	}
	text = append(text[:len(text)-1], strings.Repeat(" ", size-len(text))+"\n"...)
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_, err := rw.Write(text)
	return err
}
