package chat_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/parley-im/parley/chat"
)

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
