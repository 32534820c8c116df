"""Delivery status notifications: written and read (RFC 3464, RFC 3461, RFC 6533).

Pure: who gets one and what it changes is `delivery`'s to say. Import from the modules: this
package file exports nothing.
"""
