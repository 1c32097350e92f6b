package session

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

func (s *session) updateUser(call *ask.Call, q *wirepb.UpdateUser) (*wirepb.UpdateUserReply, error) {
	s.write(call, chat.UpdateUser{User: s.user, Name: q.Name, AvatarURL: q.AvatarUrl, ExtendedData: q.ExtendedData}, func(_ actor.Context, r chat.Result) {
		info := wirepb.FromUser(s.user.ID, r.User)
		call.Answer(&wirepb.UpdateUserReply{User: info})
		s.pushToOthers(call, &wirepb.ServerFrame{Body: &wirepb.ServerFrame_UserChanged{UserChanged: &wirepb.UserChanged{User: info}}})
	})
	return nil, nil
}

// userQuery collects the profiles that were asked for, from their shards.
type userQuery struct {
	call  *ask.Call
	ids   []string
	found map[string]*wirepb.UserInfo
	looks int // under way
	over  bool
}

// userLook is what one shard is asked.
type userLook struct {
	query *userQuery
	ids   []string
}

func (s *session) queryUsers(call *ask.Call, q *wirepb.QueryUsers) (*wirepb.QueryUsersReply, error) {
	if len(q.UserIds) == 0 {
		return nil, chat.Errorf(chat.CodeInvalidParam, "query users", "no user is asked for; 1 to 100 are allowed")
	}
	query := &userQuery{call: call, ids: q.UserIds, found: make(map[string]*wirepb.UserInfo)}
	of := make(map[storage.ShardID][]string)
	for _, id := range q.UserIds {
		shard := storage.UserShard(s.o.Replicator.Shards(), chat.UserKey{App: s.user.App, ID: id})
		of[shard] = append(of[shard], id)
	}
	query.looks = len(of)
	for shard, ids := range of {
		look := &actorpb.Look{AppId: call.AppId, Users: ids}
		if err := s.ask(call.Context, shard, userLook{query, ids}, look); err != nil {
			query.over = true // what is under way already answers nobody
			return nil, err
		}
	}
	return nil, nil
}

// answer implements question.
func (l userLook) answer(s *session, ctx actor.Context, m *actorpb.Seen) {
	q := l.query
	if len(m.Users) != len(l.ids) {
		l.fail(s, ctx, errMisread)
		return
	}
	for i, id := range l.ids {
		if row := m.Users[i].User; row != nil {
			q.found[id] = wirepb.FromUser(id, row.Chat())
		}
	}
	if q.looks--; q.looks > 0 || q.over {
		return
	}
	reply := &wirepb.QueryUsersReply{}
	for _, id := range q.ids {
		if info := q.found[id]; info != nil {
			reply.Users = append(reply.Users, info)
		} else {
			reply.Unknown = append(reply.Unknown, id)
		}
	}
	q.call.Answer(reply)
}

func (l userLook) fail(_ *session, _ actor.Context, err error) {
	if !l.query.over {
		l.query.over = true
		l.query.call.Refuse(err)
	}
}

func (l userLook) stop(s *session) { l.fail(s, nil, errMoved) }
