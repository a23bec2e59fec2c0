package forbidden

// MayIntroduce reports whether the first look lets a word through that
// introduces something, and Introduces whether it does.
func MayIntroduce(w string) bool { return lookAt(w).label }

// Introduces reports whether a word in lower case has a label that matters.
func Introduces(w string) bool { return labelOf([]byte(w))&introduces != 0 }

// Plain returns the plain form of a text.
func Plain(text string) string {
	v := view{s: text}
	v.fold()
	return v.s
}
