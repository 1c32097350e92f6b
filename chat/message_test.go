package chat_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/parley-im/parley/chat"
)

func TestMessagesAreHeldToTheirLimits(t *testing.T) {
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
		"extended data of no UTF-8":    {text(func(m *chat.Message) { m.ExtendedData = "\xff" }), chat.CodeInvalidParam},
		"searched content of no UTF-8": {text(func(m *chat.Message) { m.SearchedContent = "a\xc3" }), chat.CodeInvalidParam},
		"100 mentions":                 {text(func(m *chat.Message) { m.MentionedUserIDs = mentions(100) }), 0},
		"101 mentions":                 {text(func(m *chat.Message) { m.MentionedUserIDs = mentions(101) }), chat.CodeInvalidParam},
		"a mention that is no user ID": {text(func(m *chat.Message) { m.MentionedUserIDs = []string{"a b"} }), chat.CodeInvalidParam},
	} {
		err := c.give.Check("test", chat.DefaultLimits())
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

func TestOnlyCommandsAreNotStored(t *testing.T) {
	if !chat.TypeText.Stored() || !chat.TypeCustom.Stored() || chat.TypeCommand.Stored() {
		t.Error("stored are text and custom messages, and commands are not")
	}
}

func TestErrorsKeepTheirCodeThroughWrapping(t *testing.T) {
	inner := chat.Errorf(chat.CodeBusy, "send", "full: %w", io.ErrShortWrite)
	wrapped := fmt.Errorf("outer: %w", errors.Join(errors.New("other"), inner))
	if chat.CodeOf(wrapped) != chat.CodeBusy || chat.AsError("op", wrapped) != inner || !errors.Is(wrapped, io.ErrShortWrite) {
		t.Errorf("%v lost its code or cause", wrapped)
	}
	if chat.CodeOf(nil) != 0 || chat.CodeOf(io.EOF) != chat.CodeInternal {
		t.Error("nil has no code, and a foreign error has CodeInternal")
	}
	foreign := chat.AsError("read", errors.New("open /secret: denied"))
	if foreign.Code != chat.CodeInternal || strings.Contains(foreign.Error(), "secret") {
		t.Errorf("a foreign error shows its text: %v", foreign)
	}
	if got := inner.Error(); got != "send: full: short write (6000005)" {
		t.Errorf("printed as %q", got)
	}
	if got := (&chat.Error{Code: chat.CodeBusy, Op: "send"}).Sentence(); got != "send failed" {
		t.Errorf("an error without a cause says %q", got)
	}
}

func TestBusyUnavailableAndTimeoutMayBeRetried(t *testing.T) {
	for code, want := range map[chat.Code]bool{
		chat.CodeBusy: true, chat.CodeUnavailable: true, chat.CodeTimeout: true, chat.CodeInvalidParam: false, chat.CodeInternal: false,
		chat.CodeIDConflict: false, chat.CodeDedupeWindowPassed: false, chat.CodeNoSuchTarget: false, chat.CodeTokenExpired: false,
	} {
		if code.Retryable() != want {
			t.Errorf("%d retryable: %v, want %v", code, code.Retryable(), want)
		}
	}
}
