<?php // Each event on a connection is a request; what is echoed is the answer to the client.
$user = json_decode($_SERVER['HTTP_X_WS_CONTEXT'], true)['user'];

header('Content-Type: text/plain; charset=utf-8');

match ($_SERVER['HTTP_CE_TYPE']) {
    'websocket.open' => print("Welcome, {$user['name']}"),
    'websocket.message' => print("{$user['name']}: " . file_get_contents('php://input')),
    'websocket.close' => error_log("{$user['name']} left: " . file_get_contents('php://input')),
};
