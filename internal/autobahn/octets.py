"""Where the testsuite's strings, one latin-1 character per byte, meet autobahn-python, which speaks bytes. The cases
also use this module under the name of binascii."""
from autobahn.websocket.protocol import WebSocketProtocol


def octets(value):
    return value.encode("latin-1") if isinstance(value, str) else value


def text(value):
    return value.decode("latin-1") if isinstance(value, (bytes, bytearray)) else value


def hexlify(value):
    return octets(value).hex()


b2a_hex = hexlify


def binLogData(value, maxlen=64):
    value = octets(value)
    return value.hex() if len(value) <= maxlen - 4 else value[:maxlen].hex() + " ..."


def asciiLogData(value, maxlen=64, replace=False):
    value = octets(value)
    shown = value if len(value) <= maxlen - 4 else value[:maxlen] + b" ..."
    try:
        return shown.decode("utf8", "replace" if replace else "strict")
    except UnicodeDecodeError:
        return "0x" + binLogData(value, maxlen)


class Octets:
    """Stands in front of autobahn's protocol classes."""

    debug = False

    def sendFrame(self, opcode, payload=b"", fin=True, rsv=0, mask=None, payload_len=None, chopsize=None, sync=False):
        super().sendFrame(opcode, octets(payload), fin, rsv, octets(mask), payload_len, chopsize, sync)

    def sendMessage(self, payload, isBinary=False, fragmentSize=None, sync=False, doNotCompress=False):
        # Sending after the end was no error when the suite was written.
        if self.state == WebSocketProtocol.STATE_OPEN:
            super().sendMessage(octets(payload), isBinary, fragmentSize, sync, doNotCompress)

    def sendMessageFrameData(self, payload, sync=False):
        return super().sendMessageFrameData(octets(payload), sync)

    def sendCloseFrame(self, code=None, reasonUtf8=None, isReply=False):
        super().sendCloseFrame(code, octets(reasonUtf8), isReply)
        self.localCloseReason = text(self.localCloseReason)
