package seal

import (
	"math/bits"
	"strings"
	"unicode/utf8"

	"purser"
)

// MaskKind says how much of a value its masked form keeps.
type MaskKind uint8

// The masks.
const (
	// MaskEmail keeps the first letter of the mailbox, the first letter of the
	// domain and its last label: k•••@e•••.com.
	MaskEmail MaskKind = 1 + iota
	// MaskLastTwo keeps the last two characters.
	MaskLastTwo
	// MaskLastThree keeps the last three characters.
	MaskLastThree
)

// Mask says that a bit is a cut-down form of another.
type Mask struct {
	Of  purser.Field
	How MaskKind // zero: the bit is no masked form
}

// Masks holds the masks by masked bit.
type Masks [purser.MaxField + 1]Mask

// dots stand for whatever was cut away; their number says nothing about it.
const dots = "•••"

// full returns the full bits that the masked ones among asked are made from.
func (m *Masks) full(asked purser.FieldMask) purser.FieldMask {
	if m == nil {
		return 0
	}
	var out purser.FieldMask
	for rest := asked; rest != 0; rest &= rest - 1 {
		if mask := m[lowest(rest)]; mask.How != 0 {
			out |= purser.Mask(mask.Of)
		}
	}
	return out
}

// from returns the masked bits that can be made from the full bits held.
func (m *Masks) from(held purser.FieldMask) purser.FieldMask {
	if m == nil {
		return 0
	}
	var out purser.FieldMask
	for bit, mask := range m {
		if mask.How != 0 && held.Has(mask.Of) {
			out |= purser.Mask(purser.Field(bit))
		}
	}
	return out
}

// give puts into values what asked allows of the value of full bit f.
func (m *Masks) give(values purser.Values, asked purser.FieldMask, f purser.Field, text string) {
	if asked.Has(f) && (m == nil || m[f].How == 0) {
		values[f] = purser.NewPlain(text)
	}
	if m == nil {
		return
	}
	for rest := asked; rest != 0; rest &= rest - 1 {
		bit := lowest(rest)
		if mask := m[bit]; mask.How != 0 && mask.Of == f {
			values[bit] = purser.NewPlain(mask.How.cut(text))
		}
	}
}

// cut returns the masked form of text. What is too short to hide most of
// itself is hidden whole.
func (k MaskKind) cut(text string) string {
	switch k {
	case MaskEmail:
		return cutEmail(text)
	case MaskLastTwo:
		return dots + ending(text, 2)
	case MaskLastThree:
		return dots + ending(text, 3)
	}
	return dots
}

func cutEmail(text string) string {
	box, domain, ok := strings.Cut(text, "@")
	dot := strings.LastIndexByte(domain, '.')
	if !ok || dot < 1 {
		return dots
	}
	return beginning(box) + dots + "@" + beginning(domain) + dots + domain[dot:]
}

// beginning is the first letter of a text that has more than one.
func beginning(text string) string {
	_, size := utf8.DecodeRuneInString(text)
	if size == len(text) {
		return ""
	}
	return text[:size]
}

// ending is the last n characters of a text at least twice as long.
func ending(text string, n int) string {
	runes := []rune(text)
	if len(runes) < 2*n {
		return ""
	}
	return string(runes[len(runes)-n:])
}

func lowest(m purser.FieldMask) purser.Field { return purser.Field(bits.TrailingZeros32(uint32(m))) }
