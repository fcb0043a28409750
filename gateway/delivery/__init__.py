"""How what addressing decided reaches its recipients: the mailbox always, push and Kafka on top of it.

The courier makes one attempt and says what came of it; lanes keep each person's deliveries in order; the loop settles
outcomes together; receipts say what a recipient may answer.
"""
