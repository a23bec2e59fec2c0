package canon

// acePrefix marks a domain label that holds other characters in ASCII.
const acePrefix = "xn--"

// The parameters of RFC 3492, section 5.
const (
	punyBase        = 36
	punyMin         = 1
	punyMax         = 26
	punySkew        = 38
	punyDamp        = 700
	punyInitialBias = 72
	punyInitialN    = 0x80
)

// punycode writes a lower-case label in the ASCII form of RFC 3492, without
// the prefix. Labels come from inputs of at most MaxInput bytes, so none of
// its sums can overflow.
func punycode(label string) string {
	runes := []rune(label)
	out := make([]byte, 0, 2*len(runes))
	for _, r := range runes {
		if r < punyInitialN {
			out = append(out, byte(r))
		}
	}
	basic := len(out)
	if basic > 0 {
		out = append(out, '-')
	}
	n, delta, bias := rune(punyInitialN), 0, punyInitialBias
	for done := basic; done < len(runes); n++ {
		next := smallestFrom(runes, n)
		delta += int(next-n) * (done + 1)
		n = next
		for _, r := range runes {
			if r < n {
				delta++
			}
			if r == n {
				out = punyNumber(out, delta, bias)
				bias = punyAdapt(delta, done+1, done == basic)
				delta = 0
				done++
			}
		}
		delta++
	}
	return string(out)
}

// smallestFrom returns the smallest character of runes that is at least n.
func smallestFrom(runes []rune, n rune) rune {
	smallest := rune(0x7FFFFFFF)
	for _, r := range runes {
		if r >= n && r < smallest {
			smallest = r
		}
	}
	return smallest
}

// punyNumber appends delta as a number of variable length.
func punyNumber(out []byte, delta, bias int) []byte {
	for k := punyBase; ; k += punyBase {
		threshold := min(max(k-bias, punyMin), punyMax)
		if delta < threshold {
			return append(out, punyDigit(delta))
		}
		rest := delta - threshold
		out = append(out, punyDigit(threshold+rest%(punyBase-threshold)))
		delta = rest / (punyBase - threshold)
	}
}

func punyDigit(d int) byte {
	if d < 26 {
		return byte('a' + d)
	}
	return byte('0' + d - 26)
}

// punyAdapt returns the bias for the next number.
func punyAdapt(delta, length int, first bool) int {
	if first {
		delta /= punyDamp
	} else {
		delta /= 2
	}
	delta += delta / length
	k := 0
	for delta > (punyBase-punyMin)*punyMax/2 {
		delta /= punyBase - punyMin
		k += punyBase
	}
	return k + (punyBase-punyMin+1)*delta/(delta+punySkew)
}
