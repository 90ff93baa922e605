-- Read by MySQL at each start, before it lets anybody in; one statement a line.
ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';
CREATE DATABASE IF NOT EXISTS {database} CHARACTER SET utf8mb4;
