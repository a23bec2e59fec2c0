package telephony

import "purser"

// Parse is parse for the fuzz target.
func Parse(body []byte, id string, source purser.SourceID) error {
	_, _, err := parse(body, id, source)
	return err
}
