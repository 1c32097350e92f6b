// Package promise says what each command must do, in the words of what is promised
// and not in those of chat's code: it keeps everything that was ever accepted and
// looks through all of it. Property tests draw commands from it, apply them to a
// store's rows, and hold results, events and rows against it. Nothing else calls it.
package promise

import (
	"fmt"
	"reflect"
	"slices"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/chat"
)

// rows is the model: a row for each command, with its share of what is drawn.
var rows = []row{
	of(2, drawLogin, (*World).login),
	of(1, drawUpdate, (*World).update),
	of(1, drawSettings, (*World).set),
	of(24, drawSend, (*World).send),
	of(2, drawRecall, (*World).recall),
	of(3, drawMark, (*World).markRead),
	of(3, drawDeliver, (*World).deliver),
	of(1, drawDelivered, (*World).delivered),
}

// row is a command: how one is drawn, and what it must do.
type row struct {
	of     chat.CommandBody
	share  int
	draw   func(*rapid.T, *World) (shard uint16, c chat.CommandBody, ok bool)
	expect func(w *World, shard uint16, now int64, c chat.CommandBody) Want
}

// GoString is what rapid shows of a draw.
func (r row) GoString() string { return fmt.Sprintf("%T", r.of) }

// of makes a row. A draw that finds nothing to do in the world gives false.
func of[C chat.CommandBody](share int, draw func(*rapid.T, *World) (uint16, C, bool), expect func(*World, *Shard, int64, C) Want) row {
	var zero C
	return row{
		of: zero, share: share,
		draw: func(t *rapid.T, w *World) (uint16, chat.CommandBody, bool) { return draw(t, w) },
		expect: func(w *World, shard uint16, now int64, c chat.CommandBody) Want {
			return expect(w, w.shards[shard], now, c.(C))
		},
	}
}

// Commands are those that the model has a row for, as zero values.
func Commands() (out []chat.CommandBody) {
	for _, r := range rows {
		out = append(out, r.of)
	}
	return out
}

// World is what all commands so far must have led to, shard by shard, and a clock
// that mostly runs, sometimes stands and sometimes jumps back.
type World struct {
	shards map[uint16]*Shard
	place  func(chat.Addressee) uint16
	now    int64
	tried  []chat.Send // to send again, whatever became of them
	torn   bool        // see Install
	left   map[chat.MembershipKey]bool
}

// New is a world of empty shards, numbered from 1; place says where users and
// conversations live.
func New(shards int, place func(chat.Addressee) uint16) *World {
	w := &World{shards: map[uint16]*Shard{}, place: place, now: 1_700_000_000_000, left: map[chat.MembershipKey]bool{}}
	for i := range shards {
		w.shards[uint16(i+1)] = newShard()
	}
	return w
}

// Step is a command and the shard that it goes to; or, as no command does it yet, a
// row that is taken out of a list: what was applied once must not bring it back.
type Step struct {
	Shard   uint16
	Command chat.Command
	Left    *chat.MembershipKey
}

// Apply makes the step.
func (s Step) Apply(rows *chat.State) (chat.Result, []chat.Event) {
	if s.Left != nil {
		rows.Memberships.Delete(*s.Left)
		return chat.Result{}, nil
	}
	return chat.Apply(rows, s.Command)
}

// String is for people.
func (s Step) String() string {
	if s.Left != nil {
		return fmt.Sprintf("out of the list in shard %d: %+v", s.Shard, *s.Left)
	}
	return fmt.Sprintf("%T %+v in shard %d at %d", s.Command.Body, s.Command.Body, s.Shard, s.Command.Time)
}

// drawn lists each row as often as its share is.
var drawn = func() (out []row) {
	for _, r := range rows {
		out = append(out, slices.Repeat([]row{r}, r.share)...)
	}
	return out
}()

// Draw draws the next step; it changes nothing but the clock.
func (w *World) Draw(t *rapid.T) Step {
	w.now += rapid.SampledFrom([]int64{0, 1, 1, 2, 5, 20, -7}).Draw(t, "tick")
	if rapid.IntRange(0, 29).Draw(t, "leave") == 29 {
		return w.drawLeft(t)
	}
	for {
		if shard, c, ok := rapid.SampledFrom(drawn).Draw(t, "command").draw(t, w); ok {
			return Step{Shard: shard, Command: chat.Command{Version: chat.Version, Time: w.now, Body: c}}
		}
	}
}

// Want is what a step must give: a refusal's code, or the result; and the events.
type Want struct {
	Code   chat.Code
	Result chat.Result
	Events []chat.Event
}

func refused(code chat.Code) Want { return Want{Code: code} }

// Expect says what a step must give, and takes it into the world.
func (w *World) Expect(s Step) Want {
	if s.Left != nil {
		w.leave(*s.Left)
		return Want{}
	}
	for _, r := range rows {
		if reflect.TypeOf(r.of) == reflect.TypeOf(s.Command.Body) {
			return r.expect(w, s.Shard, s.Command.Time, s.Command.Body)
		}
	}
	panic(fmt.Sprintf("promise: no row for %T", s.Command.Body))
}

// Check holds what Apply gave against it.
func (want Want) Check(res chat.Result, events []chat.Event) error {
	var code chat.Code
	if res.Err != nil {
		code, res.Err = res.Err.Code, nil
	}
	if code != want.Code || !reflect.DeepEqual(res, want.Result) {
		return fmt.Errorf("got code %d and %+v, want %d and %+v", code, res, want.Code, want.Result)
	}
	if len(events)+len(want.Events) > 0 && !reflect.DeepEqual(events, want.Events) {
		return fmt.Errorf("got events %+v, want %+v", events, want.Events)
	}
	return nil
}
