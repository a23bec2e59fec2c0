package synth

import (
	"encoding/csv"
	"fmt"
	"io"
)

// WriteCSV writes a header and the first n customers of the airline, in the
// columns of Columns. The same arguments give the same bytes. An error is that
// of w.
func WriteCSV(w io.Writer, seed uint64, mix Mix, n int) error {
	out := csv.NewWriter(w)
	header := Columns()
	if err := out.Write(header[:]); err != nil {
		return fmt.Errorf("write header of made-up customers: %w", err)
	}
	i := 0
	for c := range Customers(seed, mix, n) {
		row := c.Row()
		if err := out.Write(row[:]); err != nil {
			return fmt.Errorf("write made-up customer %d: %w", i, err)
		}
		i++
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write made-up customers: %w", err)
	}
	return nil
}
