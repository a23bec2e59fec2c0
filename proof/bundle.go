package proof

import (
	"encoding/binary"
	"fmt"

	"purser"
)

// BundleEntries is how many entries a full bundle holds.
const BundleEntries = 256

// maxBundle is the longest bundle in bytes.
const maxBundle = BundleEntries * (2 + purser.MaxEntry)

// AppendBundle appends one entry's canonical bytes to a bundle: two bytes of
// length, big endian, then the entry (C2SP tlog-tiles).
func AppendBundle(buf, entry []byte) ([]byte, error) {
	if len(entry) == 0 || len(entry) > purser.MaxEntry {
		return buf, fmt.Errorf("%w: entry of %d bytes in a bundle", ErrBadProof, len(entry))
	}
	buf = binary.BigEndian.AppendUint16(buf, uint16(len(entry)))
	return append(buf, entry...), nil
}

// ParseBundle splits a bundle of exactly n entries, appending them to entries.
// They share b's memory. Bytes that AppendBundle would not write are refused.
func ParseBundle(entries [][]byte, b []byte, n int) ([][]byte, error) {
	for i := range n {
		if len(b) < 2 {
			return entries, fmt.Errorf("%w: bundle ends after %d of %d entries", ErrBadProof, i, n)
		}
		size := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; size == 0 || size > len(b) {
			return entries, fmt.Errorf("%w: entry %d of the bundle is cut short", ErrBadProof, i)
		}
		entries = append(entries, b[:size:size])
		b = b[size:]
	}
	if len(b) > 0 {
		return entries, fmt.Errorf("%w: %d bytes after the last entry of the bundle", ErrBadProof, len(b))
	}
	return entries, nil
}

// BundlePath returns the file of bundle n, which holds width entries (C2SP
// tlog-tiles: three digits a folder, ".p/" and the width for a partial one).
func BundlePath(n uint64, width int) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	if width < BundleEntries {
		path = fmt.Sprintf("%s.p/%d", path, width)
	}
	return "tile/entries/" + path
}

// bundles yields number and width of the bundles of a ledger of size entries.
func bundles(size purser.Pos) func(func(uint64, int) bool) {
	return func(yield func(uint64, int) bool) {
		for n := uint64(0); n*BundleEntries < uint64(size); n++ {
			if !yield(n, int(min(BundleEntries, uint64(size)-n*BundleEntries))) {
				return
			}
		}
	}
}
