package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"purser"
	"purser/internal/server"
	"purser/internal/store/sqlite"
	"purser/internal/synth"
)

// kills is how often a killed import is killed.
const kills = 3

// Kill imports a file by the program's own command, kills that three times on
// the way with SIGKILL, and holds what is there in the end against the
// generator's truth: totals, people, and how many hold which fields.
func Kill(ctx context.Context, o Options, program string, w io.Writer) error {
	return o.scratch(func(dir string) error {
		rows := importSizes(o.Quick).rows
		k := &killed{o: o, program: program, rows: rows, file: filepath.Join(dir, "rows.csv"), data: filepath.Join(dir, "data"), out: w}
		return k.run(ctx)
	})
}

type killed struct {
	o             Options
	program       string
	rows          int
	file, data    string
	out           io.Writer
	truth         synth.Summary
	lasted, spent time.Duration
}

func (k *killed) run(ctx context.Context) error {
	k.o.say("S1, writing %d rows", k.rows)
	err := writeFile(k.file, func(w io.Writer) (err error) {
		b := bufio.NewWriterSize(w, 1<<16)
		k.truth, err = synth.WriteRows(b, 1, importMix, k.rows)
		return errors.Join(err, b.Flush())
	})
	if err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, k.program, "init", "--data", k.data, "--plain", "--scratch").CombinedOutput(); err != nil {
		return fmt.Errorf("init: %w: %s", err, out)
	}
	for n := range kills {
		if err := k.kill(ctx, uint64((n+1)*k.rows/(kills+1))); err != nil {
			return err
		}
	}
	return k.last(ctx)
}

// kill runs the import until it is that many rows far, and ends it hard.
func (k *killed) kill(ctx context.Context, far uint64) error {
	begun := time.Now()
	c := exec.CommandContext(ctx, k.program, "import", "--data", k.data, "--scratch", k.file)
	if err := c.Start(); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for at := uint64(0); at < far; {
		select {
		case err := <-ended:
			return fmt.Errorf("the import ended before it was killed: %w", errors.Join(err, errors.New("too fast")))
		case <-ticks.C:
		}
		at = k.far()
	}
	if err := c.Process.Kill(); err != nil {
		return fmt.Errorf("kill: %w", err)
	}
	<-ended
	k.spent += time.Since(begun)
	k.o.say("S1, killed behind row %d after %.0f s", k.far(), time.Since(begun).Seconds())
	return nil
}

// far is how many rows are in, as anybody may read who has the file.
func (k *killed) far() uint64 {
	n, err := sqlite.RowsImported(filepath.Join(k.data, sqlite.FileName))
	if err != nil {
		return 0 // not there yet, or busy
	}
	return n
}

// last runs the import to its end and checks what is there.
func (k *killed) last(ctx context.Context) error {
	begun := time.Now()
	out, err := exec.CommandContext(ctx, k.program, "import", "--data", k.data, "--scratch", "--json", k.file).Output()
	if err != nil {
		return fmt.Errorf("import to the end: %w", err)
	}
	k.lasted = time.Since(begun)
	var sum struct{ Read, New, Changed, Same, Merged, Rejected, Before uint64 }
	if err := json.Unmarshal(out, &sum); err != nil {
		return fmt.Errorf("import to the end: %w", err)
	}
	if sum.Read != uint64(k.rows) || sum.New+sum.Changed+sum.Same+sum.Merged+sum.Rejected != sum.Read {
		return fmt.Errorf("totals do not add up: %+v, want %d read", sum, k.rows)
	}
	if sum.New != uint64(k.truth.Customers) || sum.Rejected != 0 {
		return fmt.Errorf("totals: %+v, want %d people and no rejects", sum, k.truth.Customers)
	}
	fmt.Fprintf(k.out, "read %d = new %d + changed %d + same %d + merged %d + rejected %d; %d were done before the last run\n",
		sum.Read, sum.New, sum.Changed, sum.Same, sum.Merged, sum.Rejected, sum.Before)
	fmt.Fprintf(k.out, "killed %d times after %.0f s together; the last run took %.0f s\n", kills, k.spent.Seconds(), k.lasted.Seconds())
	return k.held(ctx)
}

// held counts who holds which fields.
func (k *killed) held(ctx context.Context) (err error) {
	d, err := server.Open(ctx, scratchConfig(k.data, newClock()))
	if err != nil {
		return fmt.Errorf("open scratch deployment: %w", err)
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	bits := map[purser.Field]synth.Fields{}
	columns := synth.Columns()
	for n, column := range columns {
		if f, ok := d.Records.Schema().Field(column); ok {
			bits[f.Bit] = 1 << n
		}
	}
	name, _ := d.Records.Schema().Field("name")
	bits[name.Bit] = synth.GivenName | synth.FamilyName
	got, people := map[synth.Fields]int{}, 0
	for o := purser.Ordinal(1); int(o) <= k.truth.Customers; o++ {
		r, err := d.Records.Sealed(ctx, o)
		if err != nil {
			return fmt.Errorf("customer %d: %w", o, err)
		}
		r.Masks = nil
		var fields synth.Fields
		for _, f := range r.Holds().Fields() {
			fields |= bits[f]
		}
		got[fields]++
		people++
	}
	if !maps.Equal(got, k.truth.Combinations) {
		return fmt.Errorf("%d combinations of fields, want %d: %v, want %v", len(got), len(k.truth.Combinations), got, k.truth.Combinations)
	}
	about, err := os.Stat(filepath.Join(k.data, sqlite.FileName))
	if err != nil {
		return err
	}
	fmt.Fprintf(k.out, "%d people in %d combinations of fields, as generated; %.1f bytes a customer\n",
		people, len(got), float64(about.Size())/float64(people))
	return nil
}
