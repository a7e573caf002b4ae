/** The images of the stack in containers; docker-compose.yml names the same (a test holds them together). */
export const KAFKA_IMAGE = 'apache/kafka:4.3.1';
export const MONGO_IMAGE = 'mongo:8.2.12';
