package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"purser/internal/record"
	"purser/internal/server"
	"purser/internal/synth"
	"purser/internal/workforce"
)

// importSize shapes a run of P5: rows of the large file and of the small one
// that growth is held against.
type importSize struct{ rows, small, rounds int }

const (
	importTarget  = 0.35
	storageTarget = 1.15
	growthTarget  = 0.85
	importMix     = synth.Case2025
)

func importSizes(quick bool) importSize {
	if quick {
		return importSize{60_000, 6_000, 3}
	}
	return importSize{6_000_000, 600_000, 2}
}

// Import measures P5, P11 and the import's part of P17.
func Import(ctx context.Context, o Options) ([]Result, error) {
	return importing(ctx, o, importSizes(o.Quick))
}

func importing(ctx context.Context, o Options, size importSize) (results []Result, err error) {
	var speed, storage, growth Rounds
	var seconds []float64
	err = o.scratch(func(dir string) error {
		o.say("P5, writing files of %d and %d rows", size.rows, size.small)
		large, err := newImportFile(filepath.Join(dir, "large.csv"), size.rows)
		if err != nil {
			return err
		}
		small, err := newImportFile(filepath.Join(dir, "small.csv"), size.small)
		if err != nil {
			return err
		}
		for round := range size.rounds {
			o.say("P5, round %d of %d", round+1, size.rounds)
			few, err := small.bringIn(ctx, dir)
			if err != nil {
				return err
			}
			many, err := large.bringIn(ctx, dir)
			if err != nil {
				return err
			}
			reference, err := bulkLoad(dir, large.rows, int(large.least))
			if err != nil {
				return err
			}
			speed.Add(many.rate, reference)
			storage.Add(many.bytes, large.least)
			growth.Add(many.rate, few.rate)
			seconds = append(seconds, many.seconds)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("import of %d rows of CSV, mix case2025, of whom %d are people: first byte to closing entry; checked, guarded, sealed, indexed, merged",
		size.rows, synth.People(size.rows))
	first := speed.Result("P5", what, "rows/s", "rows of the same ciphertext inserted in the same order into one SQLite table, batches of 10,000", importTarget, AtLeast)
	first.More = map[string]float64{"seconds": median(seconds)}
	return []Result{
		first,
		storage.Result("P11", "database file after it, a customer", "bytes",
			"plain bytes + 28 a field + 65 the wrapped key + 30 an index + 40", storageTarget, AtMost),
		growth.Result("P17", fmt.Sprintf("rate of import at %d rows", size.rows), "rows/s",
			fmt.Sprintf("the rate at %d rows", size.small), growthTarget, AtLeast),
	}, nil
}

// importFile is a file of made-up rows, and the least that a customer of it
// takes.
type importFile struct {
	name  string
	rows  int
	least float64
}

func newImportFile(name string, rows int) (importFile, error) {
	f := importFile{name: name, rows: rows}
	err := writeFile(name, func(w io.Writer) error {
		_, err := synth.WriteRows(w, 1, importMix, rows)
		return err
	})
	sample := min(synth.People(rows), 57_000)
	for c := range synth.Customers(1, importMix, sample) {
		f.least += leastOf(&c) / float64(sample)
	}
	return f, err
}

// leastOf is the sum that P11 names, of one customer.
func leastOf(c *synth.Customer) float64 {
	plain, fields, indexes := 0, 0, len(c.BookingReferences)
	row := c.Row()
	row[1] = strings.TrimSpace(row[0] + " " + row[1]) // given and family name are one field
	row[0] = ""
	for _, value := range row {
		if value != "" {
			plain += len(value)
			fields++
		}
	}
	for _, found := range []string{c.Email, c.Phone, c.LoyaltyNumber} {
		if found != "" {
			indexes++
		}
	}
	return float64(plain + 28*fields + 65 + 30*indexes + 40)
}

func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make a file: %w", err)
	}
	return errors.Join(write(f), f.Close())
}

// imported is what one import measured.
type imported struct{ seconds, rate, bytes float64 }

// bringIn imports the file into a new deployment and removes that again.
func (f importFile) bringIn(ctx context.Context, dir string) (m imported, err error) {
	data := filepath.Join(dir, "data")
	c := newClock()
	_, err = server.Init(ctx, server.InitConfig{
		Data: data, Host: "localhost", Labelled: true, Clock: c, Random: rand.Reader, Software: "bench",
	})
	if err != nil {
		return m, fmt.Errorf("make scratch deployment: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	d, err := server.Open(ctx, scratchConfig(data, c))
	if err != nil {
		return m, fmt.Errorf("open scratch deployment: %w", err)
	}
	in, err := os.Open(f.name)
	if err != nil {
		return m, errors.Join(err, d.Close())
	}
	begun := time.Now()
	sum, err := d.Import(ctx, in, record.ImportOptions{})
	m.seconds = time.Since(begun).Seconds()
	if err = errors.Join(err, in.Close(), d.Close()); err != nil {
		return m, fmt.Errorf("import: %w", err)
	}
	if sum.New != uint64(synth.People(f.rows)) || sum.Read != uint64(f.rows) {
		return m, fmt.Errorf("import: of %d rows %d were new, want %d", sum.Read, sum.New, synth.People(f.rows))
	}
	about, err := os.Stat(filepath.Join(data, "purser.db"))
	if err != nil {
		return m, fmt.Errorf("look how large the database is: %w", err)
	}
	m.rate, m.bytes = float64(f.rows)/m.seconds, float64(about.Size())/float64(sum.New)
	return m, nil
}

func scratchConfig(data string, c clock) server.Config {
	return server.Config{
		Data: data, Software: "bench", Company: "Scratch Air", Region: "AU", Labelled: true,
		RP:    workforce.RP{ID: "localhost", Name: "Scratch", Origins: []string{"http://localhost"}},
		Clock: c, Random: rand.Reader, Logger: slog.New(slog.NewJSONHandler(io.Discard, nil)),
	}
}

// bulkLoad is the reference of P5: rows a second of the plainest table, with
// the settings that an import has.
func bulkLoad(dir string, rows, size int) (rate float64, err error) {
	name := filepath.Join(dir, "bulk.db")
	conn, err := sqlite.OpenConn(name, sqlite.OpenReadWrite, sqlite.OpenCreate, sqlite.OpenWAL)
	if err != nil {
		return 0, fmt.Errorf("open reference: %w", err)
	}
	defer func() {
		err = errors.Join(err, conn.Close())
		for _, end := range []string{"", "-wal", "-shm"} {
			if gone := os.Remove(name + end); !errors.Is(gone, os.ErrNotExist) {
				err = errors.Join(err, gone)
			}
		}
	}()
	if err := sqlitex.ExecuteTransient(conn, `PRAGMA synchronous=FULL`, nil); err != nil {
		return 0, fmt.Errorf("set up reference: %w", err)
	}
	if err := sqlitex.ExecuteScript(conn, `CREATE TABLE row (ordinal INTEGER PRIMARY KEY, bytes BLOB NOT NULL);`, nil); err != nil {
		return 0, fmt.Errorf("set up reference: %w", err)
	}
	insert, err := conn.Prepare(`INSERT INTO row VALUES (?, ?)`)
	if err != nil {
		return 0, fmt.Errorf("set up reference: %w", err)
	}
	bytes := make([]byte, size)
	begun := time.Now()
	for from := 0; from < rows; from += 10_000 {
		if err := bulkBatch(conn, insert, bytes, from, min(from+10_000, rows)); err != nil {
			return 0, err
		}
	}
	return float64(rows) / time.Since(begun).Seconds(), nil
}

func bulkBatch(conn *sqlite.Conn, insert *sqlite.Stmt, bytes []byte, from, to int) (err error) {
	defer sqlitex.Transaction(conn)(&err)
	for i := from; i < to; i++ {
		insert.BindInt64(1, int64(i+1))
		insert.BindBytes(2, bytes)
		if err := step(insert); err != nil {
			return err
		}
	}
	return nil
}
