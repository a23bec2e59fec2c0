package record_test

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"purser"
	"purser/internal/record"
	"purser/internal/rule/canon"
)

// fewPeople draws rows about few people, so that many are about the same one:
// as cells of given name, e-mail address, loyalty number, phone and tier.
func fewPeople(t *rapid.T) [][]string {
	var rows [][]string
	for range rapid.IntRange(1, 60).Draw(t, "rows") {
		n := rapid.IntRange(0, 9).Draw(t, "person")
		row := []string{fmt.Sprintf("Person %c", 'A'+n%5), fmt.Sprintf("p%d@example.com", n), "", "", ""}
		if rapid.Bool().Draw(t, "numbered") {
			row[2] = number(n)
		}
		row[3] = rapid.SampledFrom([]string{"", "+61491570156", "+61491570157", "no phone"}).Draw(t, "phone")
		row[4] = rapid.SampledFrom([]string{"", "Blue", "Gold"}).Draw(t, "tier")
		if rapid.IntRange(0, 9).Draw(t, "shout") == 0 {
			row[0], row[1] = strings.ToUpper(row[0]), strings.ToUpper(row[1])
		}
		rows = append(rows, row)
	}
	return rows
}

func number(n int) string {
	digits := fmt.Sprintf("12345%03d", n)
	check, err := canon.LoyaltyCheckDigit(digits)
	if err != nil {
		panic(err)
	}
	return digits + string(check)
}

const fewColumns = "given_name,email,loyalty_number,phone,tier"

func asCSV(rows [][]string) string {
	text := fewColumns + "\n"
	for _, row := range rows {
		text += strings.Join(row, ",") + "\n"
	}
	return text
}

// everybody is what all customers hold and are found by, and the totals.
func (h *house) everybody(t testing.TB, people uint64) string {
	t.Helper()
	var out strings.Builder
	var o purser.Ordinal
	for seen := uint64(0); seen < people; {
		o++
		if o > purser.Ordinal(10*people+100) {
			t.Fatalf("found %d of %d customers", seen, people)
		}
		if _, err := h.book.Sealed(t.Context(), o); errors.Is(err, record.ErrNoCustomer) {
			continue
		}
		seen++
		values := h.values(t, o)
		fmt.Fprintf(&out, "%d %v\n", o, values)
		items := []record.Item{h.item(t, "email", values["email"]), h.item(t, "name", values["name"])}
		if n := values["loyalty_number"]; n != "" {
			items = append(items, h.item(t, "loyalty_number", n))
		}
		if got, err := h.book.Candidates(t.Context(), items); err != nil || got.Ordinal != o && got.Reason != purser.Several {
			t.Fatalf("customer %d is found as %+v, %v", o, got, err)
		}
	}
	rows, err := h.db.IndexRows(t.Context())
	fmt.Fprintln(&out, rows, err)
	return out.String()
}

// Wherever an import is broken off, however often, the end is that of one that
// was not: the same totals, the same people, found by the same things.
func TestABrokenImportEndsLikeAWholeOne(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		text := asCSV(fewPeople(t))
		before := asCSV(fewPeople(t)[:1])
		options := record.ImportOptions{Region: "AU", Batch: rapid.IntRange(1, 7).Draw(t, "batch")}
		whole := openHouse(outer, outer.TempDir(), nil)
		earlier := whole.mustImport(outer, before)
		want, err := whole.book.Import(outer.Context(), whole.log, purser.Actor{}, strings.NewReader(text), options)
		if err != nil {
			t.Fatalf("whole: %v", err)
		}
		dir, left := outer.TempDir(), 1<<30
		points := []string{"after-begin", "after-entries", "before-commit", "after-commit"}
		point := ""
		fault := func(at string) error {
			if at != point {
				return nil
			}
			if left--; left < 0 {
				return errors.New("device gone")
			}
			return nil
		}
		h := openHouse(outer, dir, fault)
		h.mustImport(outer, before)
		var got record.Summary
		for range rapid.IntRange(1, 4).Draw(t, "breaks") {
			left, point = rapid.IntRange(0, 9).Draw(t, "commits"), rapid.SampledFrom(points).Draw(t, "point")
			_, _ = h.book.Import(outer.Context(), h.log, purser.Actor{}, strings.NewReader(text), options)
			h.close()
			left = 1 << 30
			h = closedHouse(outer, dir, fault)
		}
		if got, err = h.book.Import(outer.Context(), h.log, purser.Actor{}, strings.NewReader(text), options); err != nil {
			t.Fatalf("to the end: %v", err)
		}
		if got.Tally != want.Tally || got.Read != got.Sum() {
			t.Fatalf("got %+v, want %+v", got.Tally, want.Tally)
		}
		people := earlier.New
		if !want.Already { // the same file twice brings nobody twice
			people += want.New
		}
		if a, b := h.everybody(outer, people), whole.everybody(outer, people); a != b {
			t.Fatalf("got\n%s\nwant\n%s", a, b)
		}
		h.close()
		whole.close()
	})
}

// The same rows as JSON Lines, and compressed, are the same people.
func TestEveryFormBringsTheSamePeople(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		rows := fewPeople(t)
		var lines, zipped, zstandard strings.Builder
		for _, row := range rows {
			cells := map[string]string{}
			for i, name := range strings.Split(fewColumns, ",") {
				cells[name] = row[i]
			}
			line, _ := json.Marshal(cells)
			lines.Write(append(line, '\n'))
		}
		for _, w := range []io.WriteCloser{gzip.NewWriter(&zipped), must(zstd.NewWriter(&zstandard))} {
			_, err := io.WriteString(w, asCSV(rows))
			if err = errors.Join(err, w.Close()); err != nil {
				t.Fatalf("compress: %v", err)
			}
		}
		want := ""
		for name, text := range map[string]string{"csv": asCSV(rows), "json": lines.String(), "gzip": zipped.String(), "zstd": zstandard.String()} {
			h := openHouse(outer, outer.TempDir(), nil)
			sum := h.mustImport(outer, text)
			got := fmt.Sprintf("%+v\n%s", sum.Tally, h.everybody(outer, sum.New))
			if want == "" {
				want = got
			}
			if got != want {
				t.Fatalf("%s: got %s\nwant %s", name, got, want)
			}
			if cut := text[:len(text)-9]; name == "gzip" || name == "zstd" {
				var file *record.FileError
				if _, err := h.importText(outer, cut); !errors.As(err, &file) {
					t.Fatalf("%s, cut off: got %v, want a FileError", name, err)
				}
			}
			h.close()
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Until an import ends, another file waits; one that is given up leaves nobody.
func TestAnImportThatIsGivenUpLeavesNobody(t *testing.T) {
	commits := 0
	dir := t.TempDir()
	h := openHouse(t, dir, func(at string) error {
		if at == "before-begin" {
			commits++
		}
		if commits == 6 {
			return errors.New("device gone")
		}
		return nil
	})
	text := madeUp(t, 95)
	_, err := h.book.Import(t.Context(), h.log, purser.Actor{}, strings.NewReader(text), record.ImportOptions{Region: "AU", Batch: 10})
	if err == nil {
		t.Fatal("broken off: got no error")
	}
	h.close()
	h = closedHouse(t, dir, nil)
	if _, err := h.importText(t, family); !errors.Is(err, record.ErrUnfinished) {
		t.Fatalf("another file: got %v, want ErrUnfinished", err)
	}
	o := record.ImportOptions{Region: "NZ", Batch: 10}
	if _, err := h.book.Import(t.Context(), h.log, purser.Actor{}, strings.NewReader(text), o); !errors.Is(err, record.ErrOtherOptions) {
		t.Fatalf("with another region: got %v, want ErrOtherOptions", err)
	}
	sum, err := h.book.Abandon(t.Context(), h.log, purser.Actor{})
	if err != nil || sum.New != 30 {
		t.Fatalf("give up: got %+v %v, want 30 dropped", sum, err)
	}
	for o := purser.Ordinal(1); o <= 40; o++ {
		if _, err := h.book.Sealed(t.Context(), o); !errors.Is(err, record.ErrNoCustomer) {
			t.Fatalf("customer %d: got %v, want ErrNoCustomer", o, err)
		}
	}
	if sum := h.mustImport(t, family); sum.New != 3 {
		t.Fatalf("another file: got %+v, want 3", sum)
	}
}
