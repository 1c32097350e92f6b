package logpb_test

import (
	"reflect"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/logpb"
)

var (
	number = rapid.Uint64()
	millis = rapid.Int64()
	words  = rapid.String()
)

func drawUser(t *rapid.T) chat.UserKey {
	return chat.UserKey{App: chat.AppID(rapid.Uint32().Draw(t, "app")), ID: words.Draw(t, "user")}
}

// drawKey draws any key: an ID is bytes, not text.
func drawKey(t *rapid.T) chat.ConversationKey {
	return chat.ConversationKey{
		App: chat.AppID(rapid.Uint32().Draw(t, "app")), Kind: chat.Kind(rapid.Uint8().Draw(t, "kind")), ID: string(rapid.SliceOf(rapid.Byte()).Draw(t, "id")),
	}
}

func drawMark(t *rapid.T) chat.Mark {
	return chat.Mark{Seq: number.Draw(t, "seq"), Counted: number.Draw(t, "counted"), Own: number.Draw(t, "own")}
}

// draw16 and draw32 draw fixed arrays that are often all zero.
func draw16(t *rapid.T, label string) (b [16]byte) {
	copy(b[:], rapid.SliceOfN(rapid.Byte(), 0, 16).Draw(t, label))
	return b
}

func draw32(t *rapid.T, label string) (b [32]byte) {
	copy(b[:], rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, label))
	return b
}

func drawContent(t *rapid.T) []byte {
	return rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(t, "content")
}

func drawEntry(t *rapid.T) chat.Entry {
	e := chat.Entry{
		Kind: chat.EntryKind(rapid.Uint8Range(1, 4).Draw(t, "kind")), Type: chat.MessageType(rapid.Uint32().Draw(t, "type")),
		Seq: number.Draw(t, "seq"), Rev: number.Draw(t, "rev"), Sender: words.Draw(t, "sender"), Time: millis.Draw(t, "time"), OrderKey: number.Draw(t, "key"),
		Counted: number.Draw(t, "counted"), Own: number.Draw(t, "own"), ClientMessageID: draw16(t, "id"), IssuedAt: millis.Draw(t, "issued"),
	}
	if e.Kind == chat.EntryErased {
		e.Inner = draw32(t, "inner")
	} else {
		e.Salt, e.Content = draw16(t, "salt"), drawContent(t)
	}
	return e
}

func drawEffect(t *rapid.T) chat.Effect {
	e := chat.Effect{Body: chat.ConversationOpened{Conversation: drawKey(t)}}
	if rapid.Bool().Draw(t, "to a user") {
		e.To.User = drawUser(t)
	} else {
		e.To.Conversation = drawKey(t)
	}
	return e
}

func drawCommand(t *rapid.T) chat.CommandBody {
	switch rapid.IntRange(0, 7).Draw(t, "command") {
	case 0:
		return chat.Login{User: drawUser(t), Name: words.Draw(t, "name"), AvatarURL: words.Draw(t, "avatar"), DeviceID: words.Draw(t, "device"),
			Devices: rapid.IntRange(0, 10).Draw(t, "devices"), Online: rapid.SliceOfN(words, 1, 3).Draw(t, "online")}
	case 6:
		yes := rapid.Ptr(rapid.Bool(), true)
		return chat.UpdateConversation{
			User: drawUser(t), Conversation: drawKey(t), Pinned: yes.Draw(t, "pinned"), Muted: yes.Draw(t, "muted"), Draft: rapid.Ptr(words, true).Draw(t, "draft")}
	case 5:
		text := rapid.Ptr(words, true)
		return chat.UpdateUser{User: drawUser(t), Name: text.Draw(t, "name"), AvatarURL: text.Draw(t, "avatar"), ExtendedData: text.Draw(t, "data")}
	case 7:
		return chat.Recall{Conversation: drawKey(t), Sender: words.Draw(t, "sender"), Seq: number.Draw(t, "seq"),
			Window: time.Duration(rapid.Int64Range(0, 1<<40).Draw(t, "age")) * time.Millisecond}
	case 1:
		return chat.MarkRead{User: drawUser(t), Conversation: drawKey(t), Mark: drawMark(t)}
	case 2:
		d := chat.Deliver{Source: chat.EffectSource{Shard: rapid.Uint16().Draw(t, "source"), Epoch: number.Draw(t, "epoch")}, First: number.Draw(t, "first")}
		for range rapid.IntRange(0, 3).Draw(t, "effects") {
			d.Effects = append(d.Effects, drawEffect(t))
		}
		return d
	case 3:
		return chat.Delivered{Destination: rapid.Uint16().Draw(t, "destination"), Through: number.Draw(t, "through")}
	}
	return &chat.Send{
		Conversation: drawKey(t), Sender: words.Draw(t, "sender"), ClientMessageID: draw16(t, "id"), IssuedAt: millis.Draw(t, "issued"),
		Type: chat.MessageType(rapid.Uint32().Draw(t, "type")), Content: drawContent(t), Salt: draw16(t, "salt"),
		Window: chat.DedupeWindow{Age: time.Duration(rapid.Int64Range(0, 1<<40).Draw(t, "age")) * time.Millisecond, Messages: number.Draw(t, "messages")},
	}
}

// coded is what the generated messages have in common.
type coded interface {
	MarshalVT() ([]byte, error)
	UnmarshalVT([]byte) error
}

// through sends a message through its bytes.
func through[M coded](t *rapid.T, m, into M) M {
	data, err := m.MarshalVT()
	if err == nil {
		err = into.UnmarshalVT(data)
	}
	if err != nil {
		t.Fatal(err)
	}
	return into
}

func TestACommandComesBackFromTheLogAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawCommand(t)
		got, err := through(t, logpb.FromCommand(want), &logpb.Command{}).Chat()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v came back as %+v, %v", want, got, err)
		}
	})
}

func TestRowsComeBackFromTheStoreAsTheyWere(t *testing.T) {
	same := func(t *rapid.T, got, want any) {
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v came back as %+v", want, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		u := chat.User{
			Name: words.Draw(t, "name"), AvatarURL: words.Draw(t, "avatar"), RegisteredAt: millis.Draw(t, "registered"),
			Devices: []chat.Device{{ID: words.Draw(t, "device"), LoginAt: millis.Draw(t, "login")}},
		}
		same(t, through(t, logpb.From[logpb.User](&u), &logpb.User{}).Chat(), u)

		m := chat.Membership{Mark: drawMark(t), Since: millis.Draw(t, "since")}
		same(t, through(t, logpb.From[logpb.Membership](&m), &logpb.Membership{}).Chat(), m)

		h := chat.Head{
			Seq: number.Draw(t, "seq"), Rev: number.Draw(t, "rev"), Time: millis.Draw(t, "time"), OrderKey: number.Draw(t, "key"), Counted: number.Draw(t, "counted"),
			Own: [2]uint64{number.Draw(t, "first"), number.Draw(t, "second")}, Hash: draw32(t, "hash"), DedupeFloor: millis.Draw(t, "floor"),
			MaxIssuedAt: millis.Draw(t, "issued"), CreatedAt: millis.Draw(t, "created"), BaseSeq: number.Draw(t, "base"), BaseHash: draw32(t, "base hash"),
		}
		same(t, through(t, logpb.From[logpb.Head](&h), &logpb.Head{}).Chat(), h)

		e := drawEntry(t)
		same(t, through(t, logpb.From[logpb.Entry](&e), &logpb.Entry{}).Chat(), e)

		d := chat.Dedupe{Seq: number.Draw(t, "seq"), Content: draw32(t, "content")}
		same(t, through(t, logpb.From[logpb.Dedupe](&d), &logpb.Dedupe{}).Chat(), d)

		f := drawEffect(t)
		back, err := through(t, logpb.FromEffect(f), &logpb.Effect{}).Chat()
		if err != nil {
			t.Fatal(err)
		}
		same(t, back, f)
	})
}

// TestConversionsKnowEveryField finds a field that was added to the domain and
// forgotten in the conversions: a value with every field set must come back.
func TestConversionsKnowEveryField(t *testing.T) {
	var h chat.Head
	var e chat.Entry
	var u chat.User
	var m chat.Membership
	s := new(chat.Send)
	for _, v := range []any{&h, &e, &u, &m, s} {
		fill(reflect.ValueOf(v).Elem())
	}
	s.Window.Age = time.Second
	send, err := logpb.FromCommand(s).Chat()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]any{
		{logpb.From[logpb.Head](&h).Chat(), h}, {logpb.From[logpb.Entry](&e).Chat(), e}, {logpb.From[logpb.User](&u).Chat(), u}, {logpb.From[logpb.Membership](&m).Chat(), m}, {send, s},
	} {
		if !reflect.DeepEqual(c[0], c[1]) {
			t.Errorf("%+v came back as %+v", c[1], c[0])
		}
	}
}

// fill sets every field to something that is not zero.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64:
		v.SetInt(5)
	default:
		v.SetUint(7)
	}
}

func TestWhatTheLogCannotMeanIsAnError(t *testing.T) {
	for name, c := range map[string]*logpb.Command{
		"no command":         {},
		"a short id":         {Body: &logpb.Command_Send{Send: &logpb.Send{ClientMessageId: make([]byte, 15), Salt: make([]byte, 16)}}},
		"a short salt":       {Body: &logpb.Command_Send{Send: &logpb.Send{ClientMessageId: make([]byte, 16), Salt: make([]byte, 15)}}},
		"an unknown effect":  {Body: &logpb.Command_Deliver{Deliver: &logpb.Deliver{Effects: []*logpb.Effect{{}}}}},
		"no ids in the send": {Body: &logpb.Command_Send{Send: &logpb.Send{}}},
	} {
		if body, err := c.Chat(); err == nil {
			t.Errorf("%s is read as %+v", name, body)
		}
	}
}

func TestAnEntryHoldsItsProposals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []*logpb.Proposal
		var entry []byte
		for i := range rapid.IntRange(1, 5).Draw(t, "proposals") {
			p := &logpb.Proposal{Version: rapid.Uint32().Draw(t, "version"), TimeMs: millis.Draw(t, "time"), Origin: number.Draw(t, "origin"), Number: number.Draw(t, "number")}
			for range rapid.IntRange(0, 3).Draw(t, "commands") {
				p.Commands = append(p.Commands, logpb.FromCommand(drawCommand(t)))
			}
			data, err := p.MarshalVT()
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				entry = data
			} else {
				entry = logpb.AppendProposal(entry, data)
			}
			all = append(all, p)
		}
		origin, number, err := logpb.Ident(entry)
		if err != nil || origin != all[0].Origin || number != all[0].Number {
			t.Fatalf("ident is %d, %d, %v; the first proposal's is %d, %d", origin, number, err, all[0].Origin, all[0].Number)
		}
		all[0].More = all[1:]
		var got logpb.Proposal
		if err := got.UnmarshalVT(entry); err != nil || !proto.Equal(&got, all[0]) {
			t.Fatalf("the entry decodes as %v, %v; want %v", &got, err, all[0])
		}
		if cut := rapid.IntRange(0, len(entry)).Draw(t, "cut"); cut < len(entry) {
			_, _, _ = logpb.Ident(entry[:cut]) // must not panic
		}
	})
}
