package forbidden_test

import (
	"strings"
	"testing"

	"purser/internal/rule/forbidden"
	"purser/internal/synth"
)

func BenchmarkShortFields(b *testing.B) {
	var fields []string
	for c := range synth.Customers(1, synth.Airline, 2000) {
		row := c.Row()
		fields = append(fields, row[:]...)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		forbidden.Find(fields[i%len(fields)])
	}
}

func BenchmarkLongNote(b *testing.B) {
	n := synth.NewNotes(1)
	var text strings.Builder
	for i := 0; text.Len() < 4096; i++ {
		text.WriteString(n.At(i))
		text.WriteByte('\n')
	}
	note := text.String()[:4096]
	b.SetBytes(int64(len(note)))
	b.ReportAllocs()
	for b.Loop() {
		forbidden.Find(note)
	}
}
