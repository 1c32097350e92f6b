package chat

import (
	"errors"
	"fmt"
	"time"
)

// Code is the number of an error as it crosses actors, nodes and the wire. The
// 6000xxx numbers and their meanings are those of ZIMErrorCode in
// zego-zim-web 2.29.0, so that the SDK hands them on unchanged; 6009xxx are
// Parley's own. Numbers are append-only.
type Code uint32

// The codes in use.
const (
	CodeInvalidParam  Code = 6000001 // a value breaks its rule
	CodeInvalidAppID  Code = 6000003 // no such app
	CodeBusy          Code = 6000005 // a queue is full: try again later
	CodeInternal      Code = 6000007 // a bug or a broken disk
	CodeUnsupported   Code = 6000013 // a kind of message or conversation not built yet
	CodeLoginRefused  Code = 6000101 // the token is for another app or user
	CodeUnavailable   Code = 6000102 // no leader, shutting down: nothing was done, try again
	CodeTokenInvalid  Code = 6000103 // the token cannot be read or was not signed by us
	CodeTimeout       Code = 6000105 // the outcome is unknown: retry with the same client message id
	CodeTokenExpired  Code = 6000106 // the token is past its time
	CodeTokenVersion  Code = 6000107 // a token04 with another version
	CodeTokenTooShort Code = 6000108 // the token ends in less than 30 s
	CodeNotLoggedIn   Code = 6000121 // a request before hello
	CodeKicked        Code = 6000122 // another device has logged in
	CodeNoSuchTarget  Code = 6000204 // the target user has never logged in

	CodeTooLate Code = 6000278 // the message is too old to be recalled

	CodeNoConversation Code = 6000603 // the conversation is not in the user's list

	CodeDedupeWindowPassed  Code = 6009001 // the retry comes too late to tell it from a new message
	CodeIDConflict          Code = 6009002 // the client message id was used for another content
	CodeUnknownFrame        Code = 6009003 // a frame that this version does not know
	CodeMalformedFrame      Code = 6009004 // a frame that cannot be decoded
	CodeProtocolUnsupported Code = 6009005 // a protocol version that this node does not speak
	CodeNoSuchMessage       Code = 6009006 // the user has no such message in the conversation
)

// Retryable says whether the same request, with the same client message id,
// may succeed later without anybody changing it.
func (c Code) Retryable() bool {
	return c == CodeBusy || c == CodeUnavailable || c == CodeTimeout
}

// Error is a numbered refusal: the code for programs, Op for the operation
// ("send", "login"), and a sentence for people that says what was wrong and
// what is allowed.
type Error struct {
	Code Code
	Op   string
	Err  error
	// RetryAfter is when to try again at the earliest, where that is known.
	RetryAfter time.Duration
}

// Errorf makes an Error; format and args as in fmt.Errorf, %w included.
func Errorf(code Code, op, format string, args ...any) *Error {
	return &Error{Code: code, Op: op, Err: fmt.Errorf(format, args...)}
}

// Error is "op: sentence (code)".
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %v (%d)", e.Op, e.Err, e.Code)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Sentence is what may be shown to a developer on the other side.
func (e *Error) Sentence() string {
	if e.Err == nil {
		return e.Op + " failed"
	}
	return e.Err.Error()
}

// CodeOf finds the code in an error's chain: 0 for nil, CodeInternal for an
// error without one.
func CodeOf(err error) Code {
	if err == nil {
		return 0
	}
	var e *Error
	if errors.As(err, &e) && e != nil {
		return e.Code
	}
	return CodeInternal
}

// AsError gives the Error in a chain, or wraps a foreign one as CodeInternal
// without its text, which may hold what the other side must not see.
func AsError(op string, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Errorf(CodeInternal, op, "internal error")
}
