// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/assembler.h"

#include "maia/connectors/postgres/heartbeat.h"

namespace maia::postgres {
namespace {

Error out_of_order(std::string_view what) {
  return Error{Error::Code::corruption, Recovery::reconnect, "the stream of changes has " + std::string(what),
               ""};
}

}  // namespace

Status Assembler::on(const Begin& message) {
  if (open_ || block_ != nullptr) return out_of_order("a transaction that begins inside of another");
  open_ = Open{};
  open_->transaction.id = std::to_string(message.xid);
  open_->transaction.committed_at = message.committed_at;
  open_->transaction.first_ordinal = collected_.next_ordinal;
  open_->bytes_before = collected_.bytes;
  open_->skipped = message.final_lsn < from_.lsn;
  large_ = Running{};
  large_.top = message.xid;
  return {};
}

Status Assembler::on(const Commit& message) {
  if (!open_) return out_of_order("a commit without its transaction");
  auto done = std::move(*open_);
  open_.reset();
  if (done.beat) beat_ = *done.beat;
  if (done.skipped) return {};
  read_to_ = message.end_lsn;
  done.transaction.position = position_at(message.end_lsn);
  if (done.in_fragments) {
    emit_fragment(large_);
    emit({StreamEvent::Commit{done.transaction.id, done.transaction}});
    return {};
  }
  if (collected_.next_ordinal == done.transaction.first_ordinal) {
    pass();
    return {};
  }
  collected_.transactions.push_back(std::move(done.transaction));
  if (reached(collected_, 1)) flush();
  return {};
}

Status Assembler::on(const LogicalMessage& message) {
  if (open_ && message.prefix == kMessagePrefix) {
    if (const auto beat = beat_of_message(message.content, slot_)) open_->beat = beat;
    if (const auto joined = joined_of_message(message.content, slot_)) return join(*joined);
  }
  return {};
}

Status Assembler::join(Oid table) {
  if (open_->skipped) return {};
  auto* to = MAIA_TRY(target());
  auto change = MAIA_TRY(relations_.join(table, large_.top));
  if (!change) return {};
  change->ordinal = to->next_ordinal++;
  to->window.add_barrier(std::move(*change));
  return {};
}

Status Assembler::on(const Relation& message) {
  const Xid writer = block_ != nullptr ? block_->top : open_ ? large_.top : 0;
  return relations_.take(message, writer, top());
}

Result<Assembler::Collected*> Assembler::target() {
  if (block_ != nullptr) return &block_->collected;
  if (!open_) return out_of_order("a row outside of a transaction");
  return open_->in_fragments ? &large_.collected : &collected_;
}

Status Assembler::told(Relations::Entry& entry, Collected& to) {
  if (entry.told) [[likely]]
    return {};
  to.window.add_barrier(MAIA_TRY(relations_.tell(entry, top(), to.next_ordinal)));
  ++to.next_ordinal;
  return {};
}

template <class Push>
Status Assembler::row(Oid relation, Xid xid, Push&& push) {
  if (open_ && open_->skipped) return {};
  auto* to = MAIA_TRY(target());
  auto* entry = MAIA_TRY(relations_.find(relation, top()));
  if (entry == nullptr) return {};
  if (block_ != nullptr) block_->first.try_emplace(xid, to->next_ordinal);
  MAIA_TRY(told(*entry, *to));
  const auto& decoder = entry->decoder;
  auto pushed = push(decoder, to->window.batch(decoder.schema()), to->next_ordinal);
  if (!pushed.ok()) [[unlikely]]
    return std::move(pushed).error().in(to_string(decoder.schema()->name));
  ++to->next_ordinal;
  ++to->rows;
  if (block_ != nullptr) {
    if (reached(*to, 1)) emit_fragment(*block_);
  } else if (open_->in_fragments) {
    if (reached(*to, 1)) emit_fragment(large_);
  } else if (reached(*to, 2)) {
    // A group is handed out at the end of the transaction that takes it over the limit; so this one alone is
    // as large as that.
    begin_fragments();
  }
  return {};
}

Status Assembler::on(const Insert& message) {
  return row(message.relation, message.xid,
             [&](const RowDecoder& decoder, Batch& batch, std::uint64_t ordinal) {
               return decoder.insert(batch, ordinal, message);
             });
}

Status Assembler::on(const Update& message) {
  return row(message.relation, message.xid,
             [&](const RowDecoder& decoder, Batch& batch, std::uint64_t ordinal) {
               return decoder.update(batch, ordinal, message);
             });
}

Status Assembler::on(const Delete& message) {
  return row(message.relation, message.xid,
             [&](const RowDecoder& decoder, Batch& batch, std::uint64_t ordinal) {
               return decoder.remove(batch, ordinal, message);
             });
}

Status Assembler::on(const TruncateMessage& message) {
  if (open_ && open_->skipped) return {};
  auto* to = MAIA_TRY(target());
  Truncate truncate;
  truncate.cascade = message.cascade;
  truncate.restart_identity = message.restart_identity;
  if (block_ != nullptr) block_->first.try_emplace(message.xid, to->next_ordinal);
  for (const auto oid : message.relations) {
    auto* entry = MAIA_TRY(relations_.find(oid, top()));
    if (entry == nullptr) continue;
    MAIA_TRY(told(*entry, *to));
    truncate.tables.push_back(entry->decoder.schema());
  }
  if (truncate.tables.empty()) return {};
  truncate.ordinal = to->next_ordinal++;
  to->window.add_barrier(std::move(truncate));
  return {};
}

Status Assembler::on(const StreamStart& message) {
  if (open_ || block_ != nullptr) return out_of_order("a stream block inside of a transaction");
  block_ = &running_[message.xid];
  block_->top = message.xid;
  return {};
}

Status Assembler::on(const StreamStop&) {
  if (block_ == nullptr) return out_of_order("the end of a stream block that did not begin");
  emit_fragment(*block_);
  block_ = nullptr;
  return {};
}

Status Assembler::on(const StreamCommit& message) {
  const auto running = running_.find(message.xid);
  const bool sent = running != running_.end() && running->second.sent;
  const auto id = std::to_string(message.xid);
  if (running != running_.end()) running_.erase(running);
  relations_.committed(message.xid);
  if (message.commit_lsn < from_.lsn) {
    if (sent) emit({StreamEvent::Abort{id, 0}});
    return {};
  }
  if (sent) flush();
  read_to_ = message.end_lsn;
  if (!sent) {
    pass();
    return {};
  }
  emit({StreamEvent::Commit{id, Transaction{position_at(message.end_lsn), id, message.committed_at, 0}}});
  return {};
}

Status Assembler::on(const StreamAbort& message) {
  const auto found = running_.find(message.xid);
  // The server may tell of transactions of which it has sent nothing.
  if (found == running_.end()) return {};
  auto& running = found->second;
  const auto id = std::to_string(message.xid);
  if (message.subxid == message.xid) {
    if (running.sent) emit({StreamEvent::Abort{id, 0}});
    relations_.aborted(message.xid);
    running_.erase(found);
    return {};
  }
  const auto first = running.first.find(message.subxid);
  if (first == running.first.end()) return {};
  // Whatever came after the subtransaction's first row belongs to it or to one inside of it, so all of it
  // goes. Ordinals go on from there: what is left is numbered as if the rest had never been.
  const auto from = first->second;
  if (running.sent) emit({StreamEvent::Abort{id, from}});
  if (from == 0) running.sent = false;
  relations_.rolled_back(message.xid, from);
  std::erase_if(running.first, [&](const auto& each) { return each.second >= from; });
  running.collected.next_ordinal = from;
  return {};
}

}  // namespace maia::postgres
