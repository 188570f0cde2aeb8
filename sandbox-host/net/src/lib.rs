//! TLS, HTTP and WebSocket over connections that the connector handed in.
