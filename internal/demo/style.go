package demo

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// columns is how wide a screen is drawn.
const columns = 80

// style draws text with or without colours.
type style struct{ colours bool }

func (s style) paint(code, text string) string {
	if !s.colours || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) bold(text string) string  { return s.paint("1", text) }
func (s style) dim(text string) string   { return s.paint("2", text) }
func (s style) good(text string) string  { return s.paint("32", text) }
func (s style) alarm(text string) string { return s.paint("1;31", text) }
func (s style) calm(text string) string  { return s.paint("36", text) }

// judged is good or an alarm.
func (s style) judged(holds bool, text string) string {
	if holds {
		return s.good(text)
	}
	return s.alarm(text)
}

// thousands writes a number as 12,345.
func thousands[N ~int | ~int64 | ~uint64](n N) string {
	text := strconv.FormatInt(int64(n), 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// left and right pad to a width, counted in characters.
func left(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

func right(text string, width int) string {
	return strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text))) + text
}

// cut shortens to a width.
func cut(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}

// clip shortens a painted line to a width.
func clip(line string, width int) string {
	seen, painting := 0, false
	for i, r := range line {
		switch {
		case painting:
			painting = r != 'm'
		case r == '\x1b':
			painting = true
		case seen == width:
			return line[:i] + "\x1b[0m"
		default:
			seen++
		}
	}
	return line
}

// bar draws how much of a width is done.
func (s style) bar(done float64, width int) string {
	n := min(width, max(0, int(done*float64(width))))
	return s.calm(strings.Repeat("━", n)) + s.dim(strings.Repeat("─", width-n))
}

// wrapped breaks words into lines of at most width characters.
func wrapped(parts []string, between string, width int) []string {
	var out []string
	line := ""
	for i, part := range parts {
		if i < len(parts)-1 {
			part += between
		}
		switch {
		case line == "":
			line = part
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(part) <= width:
			line += " " + part
		default:
			out = append(out, line)
			line = part
		}
	}
	return append(out, line)
}

// most lists what was counted, most frequent first, as "words 12".
func most[K comparable](counts map[K]int, words func(K) string) []string {
	keys := make([]K, 0, len(counts))
	for k := range counts {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b K) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(words(a), words(b)))
	})
	out := make([]string, 0, len(keys))
	for _, k := range keys {
		out = append(out, fmt.Sprintf("%s %s", words(k), thousands(counts[k])))
	}
	return out
}
