package record_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"purser"
	"purser/internal/record"
	"purser/internal/synth"
)

// Every row ends where it should, and nothing that it held shows in a reject
// or in any file of the data directory. Seen to fail when a lone carriage return
// in a name was read as a space.
func TestLaw06NastyRowsEndInTheRightPlace(t *testing.T) {
	const n = 100_000
	var text strings.Builder
	text.WriteString("\ufeff" + synth.NastyHeader)
	line := 2
	rejects, want := map[int]string{}, record.Tally{}
	kinds := map[int]string{}
	for i := range n {
		row := synth.NastyAt(i)
		switch row.Want {
		case synth.Taken:
			want.New++
		case synth.Joins:
			want.Merged++
		case synth.Refused:
			want.Rejected++
			rejects[line] = row.Column
		}
		kinds[line] = row.Kind
		text.WriteString(row.Row)
		line += strings.Count(row.Row, "\n")
	}
	dir := t.TempDir()
	h := openHouse(t, dir, nil)
	got := map[int]string{}
	sum, err := h.book.Import(t.Context(), h.log, purser.Actor{}, strings.NewReader(text.String()), record.ImportOptions{
		Region: "AU", Reject: func(r *record.Reject) error {
			if column, ok := rejects[r.Line]; !ok || column != r.Column || strings.Contains(strings.ToLower(r.Error()), "secret") {
				t.Errorf("line %d, %s: got %q, want column %q", r.Line, kinds[r.Line], r.Error(), column)
			}
			got[r.Line] = r.Column
			return nil
		},
	})
	if err != nil || sum.Tally != want {
		t.Errorf("got %+v %v, want %+v", sum.Tally, err, want)
	}
	for at := range rejects {
		if _, ok := got[at]; !ok {
			t.Fatalf("line %d, %s: was taken", at, kinds[at])
		}
	}
	h.close()
	for path, b := range everyByte(t, dir) {
		for _, needle := range []string{"Secret0", "secret0", "SECRET0", "hunter2", "4111 1111", fmt.Sprintf("%x", "Secret0")} {
			if bytes.Contains(b, []byte(needle)) {
				t.Errorf("%s is in %s", needle, filepath.Base(path))
			}
		}
	}
}
