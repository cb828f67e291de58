/** A proxy that dies when it sees a request. */

import net from "node:net";

/**
 * Starts a proxy before the server with this address. It passes bytes on, both ways, until `last` is among those of a
 * request. That is passed on too, and nothing is once it is answered: each connection ends at once. The port is kept, so
 * that no other server gets it.
 */
export async function dyingProxy(address, last) {
    const [host, port] = address.split(":");
    const sockets = new Set();
    let isSeen = false;
    let isDead = false;

    const listener = net.createServer((client) => {
        if (isDead) {
            client.destroy();
            return;
        }
        const server = net.connect(Number(port), host);
        for (const socket of [client, server]) {
            sockets.add(socket);
            socket.on("error", () => socket.destroy());
            socket.on("close", () => {
                client.destroy();
                server.destroy();
            });
        }
        client.on("data", (data) => {
            server.write(data);
            isSeen ||= data.includes(last);
        });
        server.on("data", (data) => (isSeen ? die() : client.write(data)));
    });

    function die() {
        isDead = true;
        for (const socket of sockets) {
            socket.destroy();
        }
    }

    await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
    listener.unref();
    return { endpoint: `http://127.0.0.1:${listener.address().port}`, die };
}
