package client

import (
	"errors"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
)

// refused is a server's refusal inside a chat.Error: its sentence, and what it
// says about trying again.
type refused struct {
	sentence  string
	retryable bool
	after     time.Duration
}

// Error is the server's sentence.
func (r *refused) Error() string { return r.sentence }

func refusal(op string, e *wirepb.Error) error {
	return &chat.Error{Code: chat.Code(e.GetCode()), Op: op, Err: &refused{
		sentence: e.GetMessage(), retryable: e.GetRetryable(), after: time.Duration(e.GetRetryAfterMs()) * time.Millisecond,
	}}
}

// replyError is the error that a reply carries, nil for any other reply.
func replyError(f *wirepb.ServerFrame) error {
	switch b := f.Body.(type) {
	case *wirepb.ServerFrame_Error:
		return refusal("request", b.Error)
	case nil:
		return chat.Errorf(chat.CodeUnknownFrame, "request", "the server's reply is of a later version")
	}
	return nil
}

func kicked(k *wirepb.Kicked) error {
	if k.GetReason() == wirepb.Kicked_REASON_TOKEN_EXPIRED {
		return chat.Errorf(chat.CodeTokenExpired, "receive", "the token has expired")
	}
	return chat.Errorf(chat.CodeKicked, "receive", "the user has logged in on another device")
}

// closeCodes are the WebSocket close codes of the contract that say more than
// "try again".
var closeCodes = map[websocket.StatusCode]chat.Code{
	4400:                            chat.CodeMalformedFrame,
	4401:                            chat.CodeTokenInvalid,
	4409:                            chat.CodeKicked,
	4410:                            chat.CodeTokenExpired,
	websocket.StatusUnsupportedData: chat.CodeMalformedFrame,
	websocket.StatusMessageTooBig:   chat.CodeInvalidParam,
}

// closeOverloaded is the close code of a node that has too much to do;
// overloadedPause is how long it is left alone then, at least.
const (
	closeOverloaded websocket.StatusCode = 4429
	overloadedPause                      = 2 * time.Second
)

// closeError gives a failed read or write the code that its close code means;
// CodeUnavailable when it says nothing.
func closeError(op string, err error) error {
	var typed *chat.Error
	if errors.As(err, &typed) {
		return err
	}
	status := websocket.CloseStatus(err)
	if status == closeOverloaded {
		return &chat.Error{Code: chat.CodeBusy, Op: op, Err: &refused{sentence: "the node has too much to do", retryable: true, after: overloadedPause}}
	}
	code, ok := closeCodes[status]
	if !ok {
		code = chat.CodeUnavailable
	}
	return chat.Errorf(code, op, "the connection ended: %w", err)
}

// retryable says whether the same may work later; final whether the login is
// over for good. A failure of the server's own is neither: another node may do.
func retryable(err error) bool {
	var r *refused
	return errors.Is(err, errLost) || errors.As(err, &r) && r.retryable || chat.CodeOf(err).Retryable()
}

func final(err error) bool {
	return !retryable(err) && chat.CodeOf(err) != chat.CodeInternal
}

// retryAfter is how long the server asked to wait, 0 when it did not.
func retryAfter(err error) time.Duration {
	var r *refused
	if errors.As(err, &r) {
		return r.after
	}
	return 0
}
