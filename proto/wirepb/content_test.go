package wirepb_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/wirepb"
)

// inASend is a request with a content, for the door's check.
func inASend(content []byte) []byte {
	data, err := (&wirepb.SendMessage{Content: content}).MarshalVT()
	if err != nil {
		panic(err)
	}
	return data
}

func TestContentsAreHeldToTheirLimits(t *testing.T) {
	text := func(change func(*chat.Message)) chat.Message {
		m := chat.Message{Type: chat.TypeText, Body: []byte("hi")}
		change(&m)
		return m
	}
	body := func(typ chat.MessageType, b string) chat.Message { return chat.Message{Type: typ, Body: []byte(b)} }
	x := func(n int) string { return strings.Repeat("x", n) }
	for name, c := range map[string]struct {
		give chat.Message
		want chat.Code
	}{
		"text":                         {body(chat.TypeText, "hi"), 0},
		"text of 32 KiB":               {body(chat.TypeText, x(32<<10)), 0},
		"text of 32 KiB and a byte":    {body(chat.TypeText, x(32<<10+1)), chat.CodeInvalidParam},
		"custom of 32 KiB and a byte":  {body(chat.TypeCustom, x(32<<10+1)), chat.CodeInvalidParam},
		"command of 5 KiB":             {body(chat.TypeCommand, x(5<<10)), 0},
		"command of 5 KiB and a byte":  {body(chat.TypeCommand, x(5<<10+1)), chat.CodeInvalidParam},
		"a command of any bytes":       {body(chat.TypeCommand, "\x00\xff "), 0},
		"a blank command":              {body(chat.TypeCommand, " "), 0},
		"an empty command":             {body(chat.TypeCommand, ""), chat.CodeInvalidParam},
		"an empty text":                {body(chat.TypeText, ""), chat.CodeInvalidParam},
		"a blank text":                 {body(chat.TypeText, " \t\n\u3000"), chat.CodeInvalidParam},
		"a blank custom message":       {body(chat.TypeCustom, "\u00a0"), chat.CodeInvalidParam},
		"a text that is not UTF-8":     {body(chat.TypeText, "\xff"), chat.CodeInvalidParam},
		"type 0":                       {body(0, "hi"), chat.CodeUnsupported},
		"an image":                     {body(11, "hi"), chat.CodeUnsupported},
		"sub-type of custom":           {chat.Message{Type: chat.TypeCustom, SubType: 200, Body: []byte("hi")}, 0},
		"sub-type of custom above 200": {chat.Message{Type: chat.TypeCustom, SubType: 201, Body: []byte("hi")}, chat.CodeInvalidParam},
		"sub-type of text":             {text(func(m *chat.Message) { m.SubType = 1 }), chat.CodeInvalidParam},
		"priority 3":                   {text(func(m *chat.Message) { m.Priority = 3 }), 0},
		"priority 4":                   {text(func(m *chat.Message) { m.Priority = 4 }), chat.CodeInvalidParam},
		"extended data of 1 KiB":       {text(func(m *chat.Message) { m.ExtendedData = x(1 << 10) }), 0},
		"extended data above":          {text(func(m *chat.Message) { m.ExtendedData = x(1<<10 + 1) }), chat.CodeInvalidParam},
		"searched content of 64":       {text(func(m *chat.Message) { m.SearchedContent = x(64) }), 0},
		"searched content above":       {text(func(m *chat.Message) { m.SearchedContent = x(65) }), chat.CodeInvalidParam},
		"extended data of no UTF-8":    {text(func(m *chat.Message) { m.ExtendedData = "\xff" }), chat.CodeMalformedFrame},
		"searched content of no UTF-8": {text(func(m *chat.Message) { m.SearchedContent = "a\xc3" }), chat.CodeMalformedFrame},
		"100 mentions":                 {text(func(m *chat.Message) { m.MentionedUserIDs = mentions(100) }), 0},
		"101 mentions":                 {text(func(m *chat.Message) { m.MentionedUserIDs = mentions(101) }), chat.CodeInvalidParam},
		"a mention that is no user ID": {text(func(m *chat.Message) { m.MentionedUserIDs = []string{"a b"} }), chat.CodeInvalidParam},
	} {
		content := wirepb.EncodeContent(&c.give)
		err := method.ByPath("SendMessage").Request.Check(inASend(content))
		if err == nil {
			err = wirepb.CheckContent("test", c.give.Type, content, chat.DefaultLimits())
		}
		if chat.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want code %d", name, err, c.want)
		}
	}
}

func mentions(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("user%d", i)
	}
	return out
}

// TestAFieldSaidTwiceGoesAroundNoLimit: what decodes as the last occurrence is
// judged by all of them.
func TestAFieldSaidTwiceGoesAroundNoLimit(t *testing.T) {
	l := chat.DefaultLimits()
	hi := wirepb.EncodeContent(&chat.Message{Body: []byte("hi")})
	for name, first := range map[string]chat.Message{
		"body":     {Body: bytes.Repeat([]byte("x"), l.TextBytes)},
		"extended": {ExtendedData: strings.Repeat("x", l.ExtendedDataBytes+1)},
		"searched": {SearchedContent: strings.Repeat("x", l.SearchedBytes+1)},
		"sub-type": {SubType: 1},
		"priority": {Priority: 9},
	} {
		twice := append(wirepb.EncodeContent(&first), wirepb.EncodeContent(&chat.Message{Body: []byte("hi"), ExtendedData: "x", SearchedContent: "x", Priority: 1})...)
		if err := wirepb.CheckContent("test", chat.TypeText, twice, l); chat.CodeOf(err) != chat.CodeInvalidParam {
			t.Errorf("%s: %v", name, err)
		}
	}
	blank := append(bytes.Clone(hi), wirepb.EncodeContent(&chat.Message{Body: []byte(" ")})...)
	if err := wirepb.CheckContent("test", chat.TypeText, blank, l); chat.CodeOf(err) != chat.CodeInvalidParam {
		t.Errorf("blank at last: %v", err)
	}
	newer := protowire.AppendBytes(protowire.AppendTag(hi, 99, protowire.BytesType), []byte("newer"))
	if err := wirepb.CheckContent("test", chat.TypeText, newer, l); err != nil {
		t.Errorf("a newer field: %v", err)
	}
	if n := testing.AllocsPerRun(100, func() { _ = wirepb.CheckContent("test", chat.TypeText, newer, l) }); n != 0 {
		t.Errorf("checking allocated %v times", n)
	}
}
