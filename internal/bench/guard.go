package bench

import (
	"context"
	"fmt"
	"time"

	"purser/internal/rule/forbidden"
	"purser/internal/synth"
)

// guardSize shapes a run of the guard's figures.
type guardSize struct {
	clean, planted int
	rounds         int
	fields, notes  int // of a round
}

func guardSizes(quick bool) guardSize {
	if quick {
		return guardSize{clean: 20_000, planted: 12_000, rounds: 5, fields: 200_000, notes: 2_000}
	}
	return guardSize{clean: 1_000_000, planted: 100_000, rounds: 7, fields: 1_000_000, notes: 20_000}
}

// guardSeed is not the one that the rules were written against.
const guardSeed = 20260801

// mostAlarms is the target: notes of a hundred thousand clean ones that are
// refused.
const mostAlarms = 1

// Guard measures what the search for forbidden data finds, what it refuses
// wrongly, and what it costs.
func Guard(ctx context.Context, o Options) ([]Result, error) {
	size := guardSizes(o.Quick)
	vectors, err := guardVectors(o)
	if err != nil {
		return nil, err
	}
	planted, err := guardPlanted(ctx, o, size)
	if err != nil {
		return nil, err
	}
	clean, err := guardClean(ctx, o, size)
	if err != nil {
		return nil, err
	}
	return append([]Result{vectors, planted, clean}, guardSpeed(o, size)...), nil
}

// recall counts what was there and what was found of it, by class.
type recall struct{ all, found, named map[forbidden.Class]int }

func newRecall() recall {
	return recall{map[forbidden.Class]int{}, map[forbidden.Class]int{}, map[forbidden.Class]int{}}
}

// add notes a text with a value of class at start to end, and what was found
// in it: the place by any name, and by its own.
func (r recall) add(class forbidden.Class, found []forbidden.Finding, start, end int) {
	r.all[class]++
	any, own := false, false
	for _, f := range found {
		if f.Start < end && f.End > start {
			any = true
			own = own || f.Class == class
		}
	}
	if any {
		r.found[class]++
	}
	if own {
		r.named[class]++
	}
}

func (r recall) result(id, what string) Result {
	all, found, named := 0, 0, 0
	more := map[string]float64{}
	for _, c := range forbidden.Classes() {
		all, found, named = all+r.all[c], found+r.found[c], named+r.named[c]
		if r.all[c] > 0 {
			more["recall "+c.String()] = float64(r.found[c]) / float64(r.all[c])
		}
	}
	more["named by its own class"] = float64(named) / float64(all)
	share := float64(found) / float64(all)
	return Result{
		ID: id, What: fmt.Sprintf(what, all), Ours: share, Reference: Reference{"what is there", 1}, Unit: "share",
		Ratio: share, Min: share, Max: share, Target: 1, Met: found == all, More: more,
	}
}

func guardVectors(o Options) (Result, error) {
	o.say("guard: published vectors")
	vectors, err := forbidden.Vectors()
	if err != nil {
		return Result{}, err
	}
	r := newRecall()
	for _, v := range vectors {
		for _, text := range v.Texts() {
			r.add(v.Class, forbidden.Find(text), 0, len(text))
		}
	}
	return r.result("G1", fmt.Sprintf("%d published examples, each in the forms and contexts of its class: %%d texts", len(vectors))), nil
}

func guardPlanted(ctx context.Context, o Options, size guardSize) (Result, error) {
	o.say("guard: %d notes with one forbidden value each", size.planted)
	notes, r := synth.NewNotes(guardSeed), newRecall()
	for i := range size.planted {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		p := notes.Plant(i)
		class, err := forbidden.ParseClass(p.Class)
		if err != nil {
			return Result{}, err
		}
		r.add(class, forbidden.Find(p.Text), p.Start, p.End)
	}
	return r.result("G2", "generated values put between any two words of generated notes: %d"), nil
}

// guardClean counts refused notes among clean ones, beside what a plain search
// for digits with a check digit would refuse.
func guardClean(ctx context.Context, o Options, size guardSize) (Result, error) {
	o.say("guard: %d clean notes", size.clean)
	notes := synth.NewNotes(guardSeed)
	refused, plain := 0, 0
	byClass := map[forbidden.Class]int{}
	for i := range size.clean {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		text := notes.At(i)
		found := forbidden.Find(text)
		for _, f := range found {
			byClass[f.Class]++
		}
		if len(found) > 0 {
			refused++
		}
		if plainLuhn(text) {
			plain++
		}
	}
	scale := 100_000 / float64(size.clean)
	ours := float64(refused) * scale
	more := map[string]float64{"clean notes": float64(size.clean), "refused notes": float64(refused)}
	for _, c := range forbidden.Classes() {
		more["alarms "+c.String()] = float64(byClass[c])
	}
	more["refused in 100,000 by 13 to 19 digits with a Luhn check"] = float64(plain) * scale
	return Result{
		ID: "G3", What: fmt.Sprintf("%d generated clean notes, refused in 100,000", size.clean), Ours: ours, Unit: "notes/100,000",
		Reference: Reference{"the target", mostAlarms}, Ratio: ours / mostAlarms, Min: ours / mostAlarms, Max: ours / mostAlarms,
		Target: mostAlarms, Met: ours <= mostAlarms, More: more,
	}, nil
}

// plainLuhn is the search that most products make: 13 to 19 digits, spaces and
// dashes between them, and the check digit.
func plainLuhn(text string) bool {
	var run []byte
	for i := range len(text) + 1 {
		if i < len(text) && (text[i] == ' ' || text[i] == '-') && len(run) > 0 {
			continue
		}
		if i < len(text) && '0' <= text[i] && text[i] <= '9' {
			run = append(run, text[i]-'0')
			continue
		}
		if len(run) >= 13 && len(run) <= 19 && luhnHolds(run) {
			return true
		}
		run = run[:0]
	}
	return false
}

func luhnHolds(digits []byte) bool {
	sum := 0
	for i := range digits {
		x := int(digits[len(digits)-1-i])
		if i%2 == 1 {
			if x *= 2; x > 9 {
				x -= 9
			}
		}
		sum += x
	}
	return sum%10 == 0
}

// guardSpeed measures the search over the fields of customers and over notes,
// beside a loop over the same bytes that counts digits.
func guardSpeed(o Options, size guardSize) []Result {
	var fields []string
	for c := range synth.Customers(guardSeed, synth.Airline, size.fields/15) {
		row := c.Row()
		fields = append(fields, row[:]...)
	}
	notes := synth.NewNotes(guardSeed)
	texts := make([]string, size.notes)
	for i := range texts {
		texts[i] = notes.At(i)
	}
	var perField, perNote Rounds
	for round := range size.rounds {
		o.say("guard: speed, round %d of %d", round+1, size.rounds)
		perField.Add(nanos(fields, search)/float64(len(fields)), nanos(fields, countDigits)/float64(len(fields)))
		bytes := 0
		for _, t := range texts {
			bytes += len(t)
		}
		perNote.Add(1e3*float64(bytes)/nanos(texts, search), 1e3*float64(bytes)/nanos(texts, countDigits))
	}
	const plain = "a loop over the same bytes that counts digits"
	return []Result{
		perField.Result("G4", fmt.Sprintf("search of %d fields of customers' records, empty ones among them", len(fields)), "ns", plain, 10, AtMost),
		perNote.Result("G5", fmt.Sprintf("search of %d notes", len(texts)), "MB/s", plain, 0.1, AtLeast),
	}
}

// nanos returns how long f takes over all texts.
func nanos(texts []string, f func(string) int) float64 {
	begun := time.Now()
	sum := 0
	for _, t := range texts {
		sum += f(t)
	}
	took := time.Since(begun)
	if sum < 0 { // keeps the loop
		return 0
	}
	return float64(took.Nanoseconds())
}

func search(text string) int { return len(forbidden.Find(text)) }

func countDigits(text string) int {
	n := 0
	for i := range len(text) {
		if text[i]-'0' < 10 {
			n++
		}
	}
	return n
}
