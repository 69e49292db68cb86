"""Django signals about what happens to sockets and streams.

`monitoring.metrics` and `monitoring.logs` listen to them.

Each is sent by `send_robust`, so a receiver that fails costs an error in the log, and no frame.
Receivers run in the event loop, or in the thread of a sender, and have to be quick.
"""

from functools import partial

from django.dispatch import Signal

# Who listens is looked up once for each sender, which is a class.
signal = partial(Signal, use_caching=True)

# Sockets. `consumer` is the name of a class, `seconds` is a duration.

# `outcome` is "let_in", the name of a close code in small letters, or "origin", which was refused
# before a consumer was known.
handshake_ended = signal()  # consumer, outcome, seconds
# `code` is the close code of the side that closed first.
connection_ended = signal()  # consumer, code, seconds, was_let_in
# An `access_ended` is followed by a `connection_ended`, once the client knows.
access_ended = signal()  # cause
frame_received = signal()  # type
# A frame of one socket. Entries of streams are delivered instead.
frame_sent = signal()  # type

# Streams.

# `texts` has the text of each frame.
entries_appended = signal()  # texts
# To so many sockets at once: first to all clients that read, then to each of the others.
# `written_at` is a time in seconds of the epoch, by the clock of the sender; it is 0 for a frame
# that comes from the rows, or that had to wait for its client.
entry_delivered = signal()  # text, sockets, written_at
# `open` counts the streams that the process follows.
streams_changed = signal()  # open
# `found_by` is "gap", by the next frame, or "tail", by the periodic check.
gap_found = signal()  # found_by
# More frames wait for one socket than are held for it.
socket_fell_behind = signal()

# Other services.

# `operation` is "send", "receive", "join" or "leave".
layer_failed = signal()  # operation
# `size` counts what one query looks up for many sockets.
lookup_batched = signal()  # size
keys_fetched = signal()  # succeeded

# This process.

drain_began = signal()
