# check: calls
import abc, argparse, array, ast, base64, bisect, calendar, cmath, collections, contextlib, copy, csv, ctypes  # noqa
import dataclasses, datetime, decimal, difflib, email, enum, fractions, functools, glob, gzip, hashlib, heapq  # noqa
import html, http.client, inspect, io, ipaddress, itertools, json, locale, logging, lzma, math, mmap, numbers  # noqa
import operator, os, pathlib, pickle, platform, pprint, queue, random, re, sched, secrets, shutil, signal  # noqa
import sqlite3, ssl, statistics, string, struct, subprocess, tempfile, textwrap, threading, time, timeit  # noqa
import tokenize, traceback, types, typing, unicodedata, unittest, urllib.request, uuid, warnings, weakref  # noqa
import xml.etree.ElementTree, zipfile, zlib, zoneinfo  # noqa
import asyncio, concurrent.futures, multiprocessing, multiprocessing.pool, doctest, pdb, cProfile  # noqa


def solve(a, b):
    return a + b
