"""`cdp import`: files of rows into the log.

file -> rows -> mapping -> accept -> what no import wrote before -> one transaction: events, their ids, how far
"""
