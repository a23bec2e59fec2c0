package demo

import (
	"bytes"
	"time"

	"purser"
)

// Clip shortens a painted line.
var Clip = clip

// Day is what a test tells of a day.
type Day struct {
	Disclosures, Opened, Loot, OthersLocked int
}

// Closing writes the closing screen of a day, without colours.
func Closing(d Day) (string, error) {
	var out bytes.Buffer
	s := &shift{airline: &airline{config: Config{Out: &out, Customers: 4_999_999, Seed: 12, temporary: true, Headless: true}}}
	t := told{
		took: 99 * time.Minute, offered: 123456, bound: 123456, opened: d.Opened, shown: 987654, othersLocked: d.OthersLocked,
		refusedHonest: map[purser.Reason]int{}, refusedThief: map[purser.Reason]int{purser.Locked: 460, purser.NotClaimed: 1000},
	}
	for why := purser.Reason(1); why < 30; why++ {
		t.refusedHonest[why] = int(why)
	}
	t.disclosures, t.fields, t.loot, t.asks, t.asksAfter, t.lock = d.Disclosures, 987654, d.Loot, 2400, 800, 1234567
	t.paced = 460
	t.report.Size = 12345678
	err := s.summary(style{}, t, Info{})
	return out.String(), err
}
