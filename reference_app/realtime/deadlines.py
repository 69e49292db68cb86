"""How long each call to another service may take, so that its caller can still answer in time.

    5 s    a client waits, and a proxy or Daphne behind it
    1 s    a request waits for its turn: REALTIME_REQUESTS_AT_ONCE
    4 s    a handshake or a request, as a whole: REALTIME_CONNECT_SECONDS, REALTIME_REQUEST_SECONDS
    2.5 s      a token whose key has to be fetched
    2 s            the fetch, whatever the issuer answers
    3 s        one statement, and SQLite's lock: `DATABASES`
    2 s            the lock of a stream that another sender holds
    2 s        a connection from the pool: `DATABASES`
    2 s        one call to the channel layer

A handshake makes several of these calls, one after the other: 2.5 s for keys, 5 s for the user, 5 s
for a topic, 2 s for the layer and 5 s for the stream are 19.5 s in the worst case. So its own
deadline ends it at 4 s, wherever it is then. The deadlines of the calls are for what that does not
end: threads, loops and connections, which have to be free again soon after a service is back.
"""

# Seconds in which a client is answered. Daphne drops a handshake after so many.
ANSWER_TIMEOUT = 5

# Seconds that a request waits until the process works on it.
TURN_TIMEOUT = 1

# Seconds for the whole fetch of the issuer's keys, and for a token that waits for it.
FETCH_TIMEOUT, FETCH_PATIENCE = 2, 2.5

# Seconds that a caller waits for a channel layer that does not answer.
LAYER_TIMEOUT = 2

# Seconds that moving frames may wait for another transaction.
LOCK_TIMEOUT = 2
