DROP TABLE chats;
DROP TABLE messages;
